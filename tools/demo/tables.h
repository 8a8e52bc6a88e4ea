// Tables beside the demo corpus, for experiments with targets: how each take was spoken, and what made-up raters say.
#pragma once

#include <string>

namespace serval::demo {

// file,pitch_semitones,level_db,words_per_minute: as delivery_of() asked for them.
std::string delivery_csv();
// file and a column a class: votes of kRaters raters who know the emotion by its delivery and err where two are alike.
std::string votes_csv();

}  // namespace serval::demo
