# cmake --install: the program, the library with its headers, and the data. Other projects then say
#   find_package(serval) and link serval::serval.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(serval_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/serval)
set(SERVAL_PACKAGE_CUDA OFF)
if(SERVAL_CUDA)
  set(SERVAL_PACKAGE_CUDA ON)
endif()
configure_package_config_file(cmake/serval-config.cmake.in ${PROJECT_BINARY_DIR}/serval-config.cmake
  INSTALL_DESTINATION ${serval_package_folder} NO_CHECK_REQUIRED_COMPONENTS_MACRO NO_SET_AND_CHECK_MACRO)
# Until 1.0 every minor version may change the headers.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/serval-config-version.cmake
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)

install(TARGETS serval_library EXPORT serval-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET serval)
  install(TARGETS serval RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY include/serval DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/serval)
install(DIRECTORY experiments DESTINATION ${CMAKE_INSTALL_DATADIR}/serval)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT serval-targets NAMESPACE serval:: DESTINATION ${serval_package_folder})
install(FILES ${PROJECT_BINARY_DIR}/serval-config.cmake ${PROJECT_BINARY_DIR}/serval-config-version.cmake
  DESTINATION ${serval_package_folder})
