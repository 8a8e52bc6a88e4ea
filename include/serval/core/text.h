// Small things done to text.
#pragma once

#include <string>
#include <string_view>

namespace serval {

std::string lower(std::string text);         // A to Z only, whatever the locale
std::string trimmed(std::string_view text);  // without blanks (space, tab, line ends) at both ends

// Digits compare as numbers: "ravdess/2" before "ravdess/10".
bool natural_less(const std::string& a, const std::string& b);

// One field of comma-separated values, quoted where RFC 4180 asks for it.
std::string csv_field(const std::string& value);

}  // namespace serval
