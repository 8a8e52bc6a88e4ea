// Small things done to text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace serval {

std::string lower(std::string text);         // A to Z only, whatever the locale
std::string trimmed(std::string_view text);  // without blanks (space, tab, line ends) at both ends

std::string padded(const std::string& text, std::size_t width);  // with blanks behind it
std::string formatted(const char* format, double value);         // as printf does; 47 characters at most

// Digits compare as numbers: "ravdess/2" before "ravdess/10".
bool natural_less(const std::string& a, const std::string& b);

// One field of comma-separated values, quoted where RFC 4180 asks for it.
std::string csv_field(const std::string& value);

}  // namespace serval
