// The drawing of recordings: a grid of panels, a column a recording.
#include "serval/report/recording_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "serval/core/error.h"
#include "serval/features/mel.h"

namespace serval::report {

namespace {

using features::FeatureMatrix;
using features::FeatureSettings;

constexpr int kLeft_px = 82, kRight_px = 92, kTop_px = 42, kBottom_px = 52, kGap_px = 18;
constexpr std::int64_t kMostPoints = 1600;  // across one panel: more than its pixels show nothing
constexpr double kDynamic_db = 70;          // below the loudest point of all recordings, all is one colour

constexpr const char* kSoundPalette =
    "set palette defined (0 '#000004', 1 '#1d1147', 2 '#51127c', 3 '#832681', 4 '#b73779', 5 '#e75263', "
    "6 '#fc8961', 7 '#fec488', 8 '#fcfdbf')\n";
constexpr const char* kSignedPalette =
    "set palette defined (-2 '#2166ac', -1 '#92c5de', 0 '#f7f7f7', 1 '#f4a582', 2 '#b2182b')\n";
constexpr const char* kInk = "#1f6feb";

int height_px(Panel panel, const RecordingPlotSettings& settings) {
  switch (panel) {
    case Panel::kWaveform:
      return 110;
    case Panel::kSpectrogram:
    case Panel::kMel:
      return 190;
    case Panel::kMfcc:
    case Panel::kF0:
      return 150;
    case Panel::kSegments:
      return 20 + 44 * static_cast<int>(settings.segments.segment_frames.size());
  }
  throw InternalError("a panel without a height");
}

double hop_s(const FeatureSettings& settings, int rate_hz) {
  return settings.hop_samples > 0 ? static_cast<double>(settings.hop_samples) / rate_hz
                                  : settings.hop_ms / 1000;
}

double largest(const FeatureMatrix& matrix) {
  return matrix.values.empty() ? -std::numeric_limits<double>::infinity()
                               : *std::max_element(matrix.values.begin(), matrix.values.end());
}

// Where one panel of one recording stands, as shares of the picture.
struct Place {
  double left = 0, right = 0, top = 0, bottom = 0;
  bool first = false, last = false, lowest = false;  // column, column, row
};

class Drawing {
 public:
  Drawing(const std::vector<RecordingLook>& looks, const RecordingPlotSettings& settings)
      : looks_(looks), settings_(settings) {
    const int columns = static_cast<int>(looks.size());
    panel_px_ = columns == 1 ? 820 : columns == 2 ? 560 : 420;
    size_.width_px = kLeft_px + kRight_px + columns * panel_px_ + (columns - 1) * kGap_px;
    size_.height_px = kTop_px + kBottom_px - kGap_px;
    for (const Panel panel : settings.panels) size_.height_px += height_px(panel, settings) + kGap_px;
    for (const RecordingLook& look : looks) {
      longest_s_ = std::max(longest_s_, look.waveform.seconds());
      for (const float sample : look.waveform.samples)
        loudest_ = std::max(loudest_, std::fabs(static_cast<double>(sample)));
    }
  }

  PictureSize size() const { return size_; }

  std::string script() {
    out_ =
        "set multiplot\nset border 31 lw 0.8 lc rgb '#5b6b7c'\nset tics out nomirror scale 0.6\nunset key\n";
    int top_px = kTop_px;
    for (std::size_t row = 0; row < settings_.panels.size(); ++row) {
      const Panel panel = settings_.panels[row];
      const int bottom_px = top_px + height_px(panel, settings_);
      for (std::size_t column = 0; column < looks_.size(); ++column) {
        const double left_px =
            kLeft_px + static_cast<double>(column) * static_cast<double>(panel_px_ + kGap_px);
        const Place place{left_px / size_.width_px,
                          (left_px + panel_px_) / size_.width_px,
                          1 - static_cast<double>(top_px) / size_.height_px,
                          1 - static_cast<double>(bottom_px) / size_.height_px,
                          column == 0,
                          column + 1 == looks_.size(),
                          row + 1 == settings_.panels.size()};
        frame(place, row == 0 ? looks_[column].title : "");
        draw(panel, looks_[column], place);
      }
      top_px = bottom_px + kGap_px;
    }
    return out_ + "unset multiplot\n";
  }

 private:
  template <class... Parts>
  void say(const Parts&... parts) {
    out_ += cat(parts..., "\n");
  }

  void frame(const Place& place, const std::string& title) {
    say("set lmargin at screen ", place.left, "\nset rmargin at screen ", place.right);
    say("set tmargin at screen ", place.top, "\nset bmargin at screen ", place.bottom);
    say("set xrange [0:", longest_s_,
        "]\nunset label\nunset ylabel\nunset colorbox\nset ytics auto\nunset grid");
    if (!title.empty()) {
      say("set label 1 ", gnuplot_text(title), " at screen ", (place.left + place.right) / 2, ", screen ",
          place.top + 18.0 / size_.height_px, " center");
    }
    say("set format x '", place.lowest ? "%g" : "", "'");
    if (!place.lowest) return;
    // Not by xlabel: the SVG terminal leaves that out where it believes the margin too small.
    say("set label 4 'time (s)' at screen ", (place.left + place.right) / 2, ", screen ",
        14.0 / size_.height_px, " center");
  }
  // Scales are the same across a row, so the first column alone has its words.
  void y_axis(const Place& place, const std::string& name, double low, double high) {
    say("set yrange [", low, ":", high, "]");
    if (place.first) {
      say("set format y '%g'");
      say("set label 2 ", gnuplot_text(name), " at screen ", 16.0 / size_.width_px, ", screen ",
          (place.top + place.bottom) / 2, " rotate by 90 center");
    } else {
      say("set format y ''");
    }
  }
  void colour_scale(const Place& place, const std::string& unit, double low, double high) {
    say("set cbrange [", low, ":", high, "]");
    if (!place.last) return;
    const double width = size_.width_px;
    say("set colorbox user origin screen ", place.right + 12 / width, ", screen ", place.bottom,
        " size screen ", 10 / width, ", screen ", place.top - place.bottom);
    say("set label 3 ", gnuplot_text(unit), " at screen ", 1 - 12 / width, ", screen ",
        (place.top + place.bottom) / 2, " rotate by 90 center");
  }

  void draw(Panel panel, const RecordingLook& look, const Place& place) {
    switch (panel) {
      case Panel::kWaveform:
        return waveform(look, place);
      case Panel::kSpectrogram:
        return spectrogram(look, place);
      case Panel::kMel:
        return mel(look, place);
      case Panel::kMfcc:
        return mfcc(look, place);
      case Panel::kF0:
        return f0(look, place);
      case Panel::kSegments:
        return segments(look, place);
    }
  }

  void waveform(const RecordingLook& look, const Place& place) {
    const double top = loudest_ > 0 ? 1.05 * loudest_ : 1;
    y_axis(place, "amplitude", -top, top);
    say("set ytics (0, -", tick(loudest_), ", ", tick(loudest_), ")");
    say("plot '-' using 1:2:3 with filledcurves lc rgb '", kInk, "', 0 lc rgb '#5b6b7c' lw 0.5");
    const std::vector<float>& samples = look.waveform.samples;
    const std::size_t step = 1 + (samples.size() - 1) / static_cast<std::size_t>(kMostPoints);
    for (std::size_t begin = 0; begin < samples.size(); begin += step) {
      // With the sample before, so that neighbours touch.
      const auto from = samples.begin() + static_cast<std::ptrdiff_t>(begin > 0 ? begin - 1 : 0);
      const auto to = samples.begin() + static_cast<std::ptrdiff_t>(std::min(samples.size(), begin + step));
      const auto [low, high] = std::minmax_element(from, to);
      say((static_cast<double>(begin) + 0.5 * static_cast<double>(step)) / look.waveform.sample_rate_hz, " ",
          *low, " ", *high);
    }
    say("e");
  }
  // A round number just below the loudest.
  static double tick(double loudest) {
    if (loudest <= 0) return 1;
    const double unit = std::pow(10, std::floor(std::log10(loudest)));
    return std::floor(loudest / unit) * unit;
  }

  // [frame, dimension] as an image whose rows are columns of the matrix, from `first` on.
  void image(const FeatureMatrix& matrix, double hop, double bottom, double step, std::int64_t first = 0) {
    const std::int64_t pool = 1 + (matrix.frames - 1) / kMostPoints;
    const std::int64_t columns = (matrix.frames + pool - 1) / pool;
    std::vector<float> pixels;
    for (std::int64_t d = first; d < matrix.dimension; ++d) {
      for (std::int64_t c = 0; c < columns; ++c) {
        float most = matrix.values[static_cast<std::size_t>(c * pool * matrix.dimension + d)];
        for (std::int64_t f = c * pool; f < std::min(matrix.frames, (c + 1) * pool); ++f)
          most = std::max(most, matrix.values[static_cast<std::size_t>(f * matrix.dimension + d)]);
        pixels.push_back(most);
      }
    }
    const double wide = hop * static_cast<double>(pool);
    say("plot '-' binary array=(", columns, ",", matrix.dimension - first, ") format='%float' endian=little",
        " origin=(", 0.5 * (wide - hop), ",", bottom, ") dx=", wide, " dy=", step, " with image");
    out_ += gnuplot_floats(pixels);
    say("");
  }

  // Of all recordings, so that equal colours are equal levels.
  double loudest_db(FeatureMatrix RecordingLook::*matrix) const {
    double most = -std::numeric_limits<double>::infinity();
    for (const RecordingLook& look : looks_) most = std::max(most, largest(look.*matrix));
    return std::ceil(most / 10) * 10;
  }

  void spectrogram(const RecordingLook& look, const Place& place) {
    const double nyquist = look.waveform.sample_rate_hz / 2.0;
    say(kSoundPalette);
    y_axis(place, "frequency (Hz)", 0, nyquist);
    const double loudest = loudest_db(&RecordingLook::spectrogram);
    colour_scale(place, "power (dB)", loudest - kDynamic_db, loudest);
    image(look.spectrogram, hop_s(settings_.spectrogram, look.waveform.sample_rate_hz), 0,
          nyquist / static_cast<double>(look.spectrogram.dimension - 1));
  }

  void mel(const RecordingLook& look, const Place& place) {
    say(kSoundPalette);
    const auto bands = static_cast<double>(look.mel.dimension);
    y_axis(place, "frequency (Hz), mel", -0.5, bands - 0.5);
    mel_tics(look, place);
    const double loudest = loudest_db(&RecordingLook::mel);
    colour_scale(place, "power (dB)", loudest - kDynamic_db, loudest);
    image(look.mel, hop_s(settings_.mel, look.waveform.sample_rate_hz), 0, 1);
  }
  // Bands stand at equal distances; the axis says where round frequencies lie among them.
  void mel_tics(const RecordingLook& look, const Place& place) {
    const FeatureSettings& s = settings_.mel;
    const double low = features::hz_to_mel(s.f_min_hz, s.mel_scale);
    const double high =
        features::hz_to_mel(s.f_max_hz.value_or(look.waveform.sample_rate_hz / 2.0), s.mel_scale);
    const double step = (high - low) / static_cast<double>(look.mel.dimension + 1);
    std::string tics;
    double below = -1e9;
    for (const int hz : {125, 250, 500, 1000, 2000, 4000, 8000, 16000}) {
      const double band = (features::hz_to_mel(hz, s.mel_scale) - low) / step - 1;
      const auto bands = static_cast<double>(look.mel.dimension);
      if (band < 0 || band > bands || band - below < 0.09 * bands)
        continue;  // outside, or on the next one's toes
      below = band;
      tics += cat(tics.empty() ? "" : ", ", gnuplot_text(place.first ? cat(hz) : ""), " ", band);
    }
    say("set ytics (", tics, ")");
  }

  void mfcc(const RecordingLook& look, const Place& place) {
    say(kSignedPalette);
    y_axis(place, "coefficient", -0.5, static_cast<double>(look.mfcc.dimension) - 0.5);
    // The 0th is the level, far outside the others, and so are single values of the first ones.
    std::vector<double> sizes;
    for (const RecordingLook& other : looks_) {
      for (std::size_t i = 0; i < other.mfcc.values.size(); ++i) {
        if (other.mfcc.dimension > 1 && i % static_cast<std::size_t>(other.mfcc.dimension) == 0) continue;
        sizes.push_back(std::fabs(static_cast<double>(other.mfcc.values[i])));
      }
    }
    const auto high =
        sizes.begin() + static_cast<std::ptrdiff_t>(0.99 * static_cast<double>(sizes.size() - 1));
    std::nth_element(sizes.begin(), high, sizes.end());
    const double most = std::max(1.0, std::ceil(*high));
    colour_scale(place, "value", -most, most);
    image(look.mfcc, hop_s(settings_.mfcc, look.waveform.sample_rate_hz), 0, 1);
  }

  void f0(const RecordingLook& look, const Place& place) {
    double most = settings_.f0.f0_min_hz;
    for (const RecordingLook& other : looks_) {
      for (std::size_t i = 0; i < other.f0.values.size(); i += static_cast<std::size_t>(other.f0.dimension))
        most = std::max(most, static_cast<double>(other.f0.values[i]));
    }
    y_axis(place, "f0 (Hz)", 0, 1.1 * most);
    say("set grid ytics lc rgb '#dde3ea'");
    // A line through each voiced stretch, with points for stretches of one frame.
    say("plot '-' using 1:2 with linespoints lw 1.5 pt 7 ps 0.25 lc rgb '", kInk, "'");
    say("-1 0");  // before the picture's left edge, so that there is a line even without a voice
    const double hop = hop_s(settings_.f0, look.waveform.sample_rate_hz);
    bool gap = true;
    say("");
    for (std::int64_t f = 0; f < look.f0.frames; ++f) {
      const float hz = look.f0.values[static_cast<std::size_t>(f * look.f0.dimension)];
      if (hz > 0)
        say(hop * static_cast<double>(f), " ", hz);
      else if (!gap)
        say("");
      gap = !(hz > 0);
    }
    say("e");
  }

  // Each length is a band of its own, with neighbours in two lanes, since they may overlap.
  void segments(const RecordingLook& look, const Place& place) {
    const auto bands = static_cast<double>(look.segments.lengths.size());
    y_axis(place, "", 0, bands);
    std::string tics;
    for (std::size_t scale = 0; scale < look.segments.lengths.size(); ++scale)
      tics += cat(scale > 0 ? ", " : "", "'", look.segments.lengths[scale], " frames' ",
                  bands - static_cast<double>(scale) - 0.5);
    say("set ytics (", place.first ? tics : "", ") scale 0");
    const double hop = hop_s(settings_.mel, look.waveform.sample_rate_hz);
    const auto boxes = [&](const auto& box) {
      std::vector<std::int64_t> number(look.segments.lengths.size(), 0);
      for (const features::Segment& segment : look.segments.segments) {
        const std::int64_t k = number[static_cast<std::size_t>(segment.scale)]++;
        const double middle = bands - segment.scale - (k % 2 == 0 ? 0.29 : 0.71);
        box(hop * static_cast<double>(segment.first_frame), hop * static_cast<double>(segment.real_frames),
            hop * static_cast<double>(segment.frames), middle);
      }
      say("e");
    };
    say("plot '-' using 1:2:3:4:5:6 with boxxyerror lc rgb '", kInk, "' fs solid 0.12 border lc rgb '", kInk,
        "', '-' using 1:2:3:4:5:6 with boxxyerror lc rgb '", kInk, "' fs solid 0.45 border lc rgb '", kInk,
        "'");
    const auto line = [&](double from, double length, double middle) {
      say(from, " ", middle, " ", from, " ", from + length, " ", middle - 0.18, " ", middle + 0.18);
    };
    boxes([&](double from, double, double whole, double middle) { line(from, whole, middle); });
    boxes([&](double from, double real, double, double middle) { line(from, real, middle); });
  }

  const std::vector<RecordingLook>& looks_;
  const RecordingPlotSettings& settings_;
  PictureSize size_;
  int panel_px_ = 0;
  double longest_s_ = 0, loudest_ = 0;
  std::string out_;
};

}  // namespace

std::string draw_recordings(const std::vector<RecordingLook>& looks, const RecordingPlotSettings& settings,
                            PictureFormat format) {
  SERVAL_CHECK(!looks.empty() && !settings.panels.empty(), "nothing to draw");
  Drawing drawing(looks, settings);
  return draw_with_gnuplot(drawing.script(), format, drawing.size());
}

}  // namespace serval::report
