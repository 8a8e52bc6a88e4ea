# A room is one folder under src/ (and include/serval/, cuda/, tests/), built as an object library so that one
# room can be built and tested while another is being worked on.
add_library(serval_options INTERFACE)
target_include_directories(serval_options INTERFACE
  $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
target_compile_options(serval_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wno-parentheses
    # GCC 12 sees overlaps in std::string that are not there (its bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>>
  # One rounding per operation as written: fused multiply-adds appear only where a kernel asks for them, so
  # that a result does not depend on how the compiler happened to contract an expression.
  $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>)
if(SERVAL_WERROR)
  target_compile_options(serval_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(SERVAL_SANITIZE)
  target_compile_options(serval_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${SERVAL_SANITIZE} -fno-omit-frame-pointer -g
      # GCC 12, made to instrument, sees uninitialised members in <regex> that are not there.
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>>)
  target_link_options(serval_options INTERFACE -fsanitize=${SERVAL_SANITIZE})
endif()
foreach(folder IN LISTS SERVAL_EXTERNAL_INCLUDES)
  target_include_directories(serval_options SYSTEM INTERFACE $<BUILD_INTERFACE:${folder}>)
endforeach()
target_link_libraries(serval_options INTERFACE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)

function(serval_add_rooms)
  set_property(GLOBAL PROPERTY SERVAL_ROOMS "${ARGN}")
  foreach(room IN LISTS ARGN)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/${room}/*.cc
      ${CMAKE_CURRENT_SOURCE_DIR}/src/${room}/*/*.cc)
    list(REMOVE_ITEM sources ${CMAKE_CURRENT_SOURCE_DIR}/src/core/cuda_absent.cc)
    if(SERVAL_LIBRARY_ONLY)  # the server and the converters are no part of it
      list(FILTER sources EXCLUDE REGEX "/src/(deploy/(serve|onnx|keras)/|audio/corpus_check)")
    elseif(SERVAL_FUZZ)  # what writes files reads nothing that a stranger made
      list(FILTER sources EXCLUDE REGEX "/src/deploy/(onnx|keras)/")
    endif()
    add_library(serval_${room} OBJECT ${sources})
    set_target_properties(serval_${room} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_include_directories(serval_${room} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(serval_${room} PRIVATE serval_options ${SERVAL_EXTERNAL_LIBRARIES})
  endforeach()
endfunction()

# The one static library that programs link: every room, and the CUDA backend where it is built.
function(serval_add_library)
  get_property(rooms GLOBAL PROPERTY SERVAL_ROOMS)
  add_library(serval_library STATIC)
  add_library(serval::serval ALIAS serval_library)
  set_target_properties(serval_library PROPERTIES OUTPUT_NAME serval EXPORT_NAME serval)
  foreach(room IN LISTS rooms)
    target_sources(serval_library PRIVATE $<TARGET_OBJECTS:serval_${room}>)
  endforeach()
  if(TARGET serval_cuda)
    target_sources(serval_library PRIVATE $<TARGET_OBJECTS:serval_cuda>)
    target_link_libraries(serval_library PUBLIC ${SERVAL_CUDA_LIBRARIES})
  endif()
  target_include_directories(serval_library PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_compile_features(serval_library PUBLIC cxx_std_20)
  target_link_libraries(serval_library PUBLIC ${SERVAL_EXTERNAL_LIBRARIES})
endfunction()

# libserval_predict, a shared library for other people's programs. It is linked from an archive of rooms, so only what
# scores of recordings need goes in, and shows its interface alone (cmake/serval_predict.map). It computes on CPUs, whatever
# else is built.
function(serval_add_predict_library)
  get_property(rooms GLOBAL PROPERTY SERVAL_ROOMS)
  if(SERVAL_SANITIZE)  # whose runtime no shared library carries
    return()
  endif()
  foreach(room IN LISTS SERVAL_PREDICT_ROOMS)
    if(NOT room IN_LIST rooms)
      return()
    endif()
  endforeach()
  add_library(serval_predict_parts STATIC EXCLUDE_FROM_ALL)
  foreach(room IN LISTS SERVAL_PREDICT_ROOMS)
    target_sources(serval_predict_parts PRIVATE $<TARGET_OBJECTS:serval_${room}>)
  endforeach()
  add_library(serval_predict SHARED)
  add_library(serval::predict ALIAS serval_predict)
  target_sources(serval_predict PRIVATE
    "$<FILTER:$<TARGET_OBJECTS:serval_deploy>,INCLUDE,/src/deploy/(c_api|predictor)[.]cc>")
  if(SERVAL_CUDA)
    target_sources(serval_predict PRIVATE src/core/cuda_absent.cc)
  endif()
  set(map ${PROJECT_SOURCE_DIR}/cmake/serval_predict.map)
  set_target_properties(serval_predict PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME predict VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LINK_DEPENDS ${map})
  target_link_libraries(serval_predict PRIVATE serval_options serval_predict_parts ${SERVAL_EXTERNAL_LIBRARIES})
  target_link_options(serval_predict PRIVATE -Wl,--version-script=${map} -Wl,--as-needed -Wl,--no-undefined)
  target_include_directories(serval_predict PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_compile_features(serval_predict INTERFACE cxx_std_20)
endfunction()

function(serval_add_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE serval::serval serval_options CLI11::CLI11)
  # build/<preset>/serval is where scripts and people look for it.
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()
