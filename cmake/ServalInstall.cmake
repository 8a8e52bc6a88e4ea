# cmake --install: the program, the libraries with their headers, and the data, each a component of its own:
#   program      serval with its data, experiments and pages
#   dev          the whole library: find_package(serval), serval::serval
#   predict      libserval_predict, what programs that use it need to run
#   predict_dev  what they need to be built: find_package(serval_predict), serval::predict, or pkg-config serval-predict
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Until 1.0 every minor version may change the headers.
if(TARGET serval_predict)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/serval_predict)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libserval-predict COMPONENT predict)
  install(TARGETS serval_predict EXPORT serval-predict-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT predict NAMELINK_COMPONENT predict_dev)
  install(FILES include/serval/deploy/c_api.h include/serval/deploy/predictor.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/serval/deploy COMPONENT predict_dev)
  install(FILES include/serval/core/error.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/serval/core COMPONENT predict_dev)
  install(EXPORT serval-predict-targets FILE serval_predict-config.cmake NAMESPACE serval:: DESTINATION ${folder}
    COMPONENT predict_dev)
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/serval_predict-config-version.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/serval_predict-config-version.cmake DESTINATION ${folder} COMPONENT predict_dev)
  file(RELATIVE_PATH serval_up /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)  # so that a tree can be moved
  configure_file(cmake/serval-predict.pc.in ${PROJECT_BINARY_DIR}/serval-predict.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/serval-predict.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT predict_dev)
endif()
if(SERVAL_LIBRARY_ONLY)
  return()
endif()

set(serval_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/serval)
set(SERVAL_PACKAGE_CUDA OFF)
if(SERVAL_CUDA)
  set(SERVAL_PACKAGE_CUDA ON)
endif()
configure_package_config_file(cmake/serval-config.cmake.in ${PROJECT_BINARY_DIR}/serval-config.cmake
  INSTALL_DESTINATION ${serval_package_folder} NO_CHECK_REQUIRED_COMPONENTS_MACRO NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/serval-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)

install(TARGETS serval_library EXPORT serval-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(DIRECTORY include/serval DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev FILES_MATCHING PATTERN "*.h"
  PATTERN c_api.h EXCLUDE PATTERN deploy/predictor.h EXCLUDE PATTERN core/error.h EXCLUDE)  # these are predict_dev's
install(EXPORT serval-targets NAMESPACE serval:: DESTINATION ${serval_package_folder} COMPONENT dev)
install(FILES ${PROJECT_BINARY_DIR}/serval-config.cmake ${PROJECT_BINARY_DIR}/serval-config-version.cmake
  DESTINATION ${serval_package_folder} COMPONENT dev)
if(TARGET serval)
  install(TARGETS serval RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/serval COMPONENT program)
install(DIRECTORY experiments DESTINATION ${CMAKE_INSTALL_DATADIR}/serval COMPONENT program)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program FILES_MATCHING PATTERN "*.md"
  PATTERN results EXCLUDE)
