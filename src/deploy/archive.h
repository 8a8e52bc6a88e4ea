// A bundle as one file: a POSIX ustar archive, which `tar xf` unpacks. Every header is the same but for name and size, so
// that the same files give the same bytes. What is read is held to more than the format: plain files alone, by
// plain names, each once, and nothing behind the end.
#pragma once

#include <map>
#include <string>

#include "bundle_files.h"

namespace serval::deploy {

// Throws ConfigError for a name that does not fit a header: more than 100 bytes behind the last "/" that leaves at most 155.
std::string archive_bytes(const NamedFiles& files);

// By name. Throws DataError, naming the file and where in it: cut short, another format, sizes beyond the file's end.
std::map<std::string, std::string> read_archive(const std::string& path);

}  // namespace serval::deploy
