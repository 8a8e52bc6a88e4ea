#pragma once

namespace serval {
inline constexpr const char* kVersion = "0.1.0";
}
