// Marks inline functions whose arithmetic the CPU and the CUDA bodies share.
#pragma once

#if defined(__CUDACC__)
#define SERVAL_HD __host__ __device__
#else
#define SERVAL_HD
#endif
