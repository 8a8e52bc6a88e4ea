# The second device. Everything under cuda/ is built here and nowhere else.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # 90 also carries PTX for what comes later
endif()
enable_language(CUDA)
# CMake 3.25.1, Debian 12's, does not know nvcc's C++20 switch yet.
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
find_package(CUDAToolkit REQUIRED)
find_path(SERVAL_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} REQUIRED)
find_library(SERVAL_CUDNN cudnn HINTS ${CUDAToolkit_LIBRARY_DIR} REQUIRED)

file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cu)
add_library(serval_cuda OBJECT ${cuda_sources})
set_target_properties(serval_cuda PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON
  POSITION_INDEPENDENT_CODE ON)
target_include_directories(serval_cuda PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/include ${CMAKE_CURRENT_SOURCE_DIR}
  ${SERVAL_CUDNN_INCLUDE})
# 554: nvcc believes that View<T>'s conversion to View<const T> is never used.
set(SERVAL_NVCC_OPTIONS $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr -Xcompiler=-Wall,-Wextra
  --diag-suppress=554 -Xcudafe=--display_error_number>)
if(SERVAL_WERROR)
  list(APPEND SERVAL_NVCC_OPTIONS $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
endif()
target_compile_options(serval_cuda PRIVATE ${SERVAL_NVCC_OPTIONS})
target_link_libraries(serval_cuda PRIVATE CUDA::cudart CUDA::cublas CUDA::cufft)
set(SERVAL_CUDA_LIBRARIES CUDA::cudart CUDA::cublas CUDA::cufft ${SERVAL_CUDNN})
