# Every library that Serval links, all from the distribution's packages (tools/setup.sh installs them). Only what the rooms
# to build need is looked for.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET GLOBAL sndfile)
pkg_check_modules(SOXR REQUIRED IMPORTED_TARGET GLOBAL soxr)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET GLOBAL libxxhash)
find_package(nlohmann_json 3.10 REQUIRED)
# KissFFT's C++ template alone: a header, nothing to link.
find_path(SERVAL_KISSFFT_INCLUDE kissfft/kissfft.hh REQUIRED)
set(SERVAL_EXTERNAL_INCLUDES ${SERVAL_KISSFFT_INCLUDE})
set(SERVAL_EXTERNAL_LIBRARIES PkgConfig::SNDFILE PkgConfig::SOXR PkgConfig::XXHASH)

if("evaluate" IN_LIST SERVAL_ROOMS)
  # Distribution functions for statistics, HTTP and WebSocket: headers alone.
  find_path(SERVAL_BOOST_INCLUDE NAMES boost/math/distributions/students_t.hpp REQUIRED)
  if(NOT SERVAL_LIBRARY_ONLY AND NOT EXISTS ${SERVAL_BOOST_INCLUDE}/boost/beast/websocket.hpp)
    message(FATAL_ERROR "boost/beast/websocket.hpp is missing beside boost/math in ${SERVAL_BOOST_INCLUDE}")
  endif()
  list(APPEND SERVAL_EXTERNAL_INCLUDES ${SERVAL_BOOST_INCLUDE})
endif()

if("store" IN_LIST SERVAL_ROOMS)
  pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET GLOBAL zlib)
  # The serial HDF5 by name: a machine that also has an MPI flavour must not pick that one.
  set(HDF5_PREFER_PARALLEL FALSE)
  find_package(HDF5 REQUIRED COMPONENTS C)
  list(APPEND SERVAL_EXTERNAL_INCLUDES ${HDF5_C_INCLUDE_DIRS})
  list(APPEND SERVAL_EXTERNAL_LIBRARIES PkgConfig::ZLIB ${HDF5_C_LIBRARIES})
endif()

if("fitting" IN_LIST SERVAL_ROOMS)
  # Classical models. These three come without pkg-config modules.
  find_path(SERVAL_LIBSVM_INCLUDE libsvm/svm.h REQUIRED)
  find_library(SERVAL_LIBSVM svm REQUIRED)
  find_path(SERVAL_LIBLINEAR_INCLUDE linear.h REQUIRED)
  find_library(SERVAL_LIBLINEAR linear REQUIRED)
  find_path(SERVAL_OPENCV_INCLUDE opencv2/ml.hpp PATH_SUFFIXES opencv4 REQUIRED)
  find_library(SERVAL_OPENCV_ML opencv_ml REQUIRED)
  find_library(SERVAL_OPENCV_CORE opencv_core REQUIRED)
  list(APPEND SERVAL_EXTERNAL_INCLUDES ${SERVAL_OPENCV_INCLUDE})
  list(APPEND SERVAL_EXTERNAL_LIBRARIES ${SERVAL_LIBSVM} ${SERVAL_LIBLINEAR} ${SERVAL_OPENCV_ML} ${SERVAL_OPENCV_CORE})
endif()

if("experiment" IN_LIST SERVAL_ROOMS)
  find_package(CLI11 REQUIRED)
  pkg_check_modules(PORTAUDIO portaudio-2.0)  # optional: `serval predict --microphone`
endif()
list(APPEND SERVAL_EXTERNAL_LIBRARIES Threads::Threads)
