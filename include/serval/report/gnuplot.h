// Charts that gnuplot draws: a script goes to its standard input, data and all, and the picture comes back.
#pragma once

#include <span>
#include <string>

namespace serval::report {

enum class PictureFormat { kPng, kSvg };
// By the ending, .png or .svg; throws ConfigError for another one.
PictureFormat picture_format(const std::string& path);

struct PictureSize {
  int width_px = 800, height_px = 500;
};

// A text as the script may hold it, in quotes that nothing in it can end. What it says is drawn as it is: markup is off.
std::string gnuplot_text(const std::string& text);

// Runs gnuplot, as a process without a shell, on `script` behind lines that choose the format. Throws UnsupportedError
// where there is no gnuplot, InternalError with gnuplot's words where it refuses the script.
std::string draw_with_gnuplot(const std::string& script, PictureFormat format, PictureSize size);

// What `plot '-' binary array=(columns,rows) format='%float'` reads.
std::string gnuplot_floats(std::span<const float> values);

}  // namespace serval::report
