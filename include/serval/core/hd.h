// Marks inline functions whose arithmetic the CPU and the CUDA bodies share.
#pragma once

#if defined(__CUDACC__)
#define SERVAL_HD __host__ __device__
// In front of a template<> that is SERVAL_HD and whose argument decides on which side it may be called.
#define SERVAL_TEAM_FUNCTION _Pragma("nv_exec_check_disable")
#else
#define SERVAL_HD
#define SERVAL_TEAM_FUNCTION
#endif
