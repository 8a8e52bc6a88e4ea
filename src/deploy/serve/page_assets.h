// The live page, as texts inside the library.
#pragma once

namespace serval::deploy {

extern const char* const kLiveHtml;
extern const char* const kLiveCss;
extern const char* const kLiveJs;     // the page
extern const char* const kSoundJs;    // spectra, pictures
extern const char* const kCaptureJs;  // what takes samples off the microphone, on the browser's audio thread

}  // namespace serval::deploy
