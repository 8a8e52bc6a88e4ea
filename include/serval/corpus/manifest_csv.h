// A list of recordings as CSV: what `corpus scan` prints, what a run keeps, and how a user lists a corpus
// that no description fits.
#pragma once

#include <string>
#include <vector>

#include "serval/corpus/manifest.h"

namespace serval::corpus {

// Columns id,path,corpus,actor,gender,label_raw,label,sentence,intensity,repetition,group,derived_from,synthetic,
// content_hash; synthetic is true or false. Actors, sentences and groups are written with their corpus in front.
std::string manifest_csv(const std::vector<Recording>& recordings);
void write_manifest_csv(const std::vector<Recording>& recordings, const std::string& path);  // atomically

// Needs the columns path, actor, label. The others may be absent: corpus is then the CSV file's name without
// ending, id "<corpus>/<recording's file name without ending>", label_raw the label, gender unknown,
// synthetic false. A column of another name is an error. Actors, sentences, groups and ids get the corpus in
// front unless they have it. derived_from is the id of another line. An actor, sentence, group or derived_from with another
// corpus of the file in front stays as it is: one person may be heard in several corpora. A relative path starts at `folder`,
// or at the CSV file's folder when that is "".
// Labels are harmonised words or any of your own; see corpus/labels.h for how they become classes.
// Throws DataError with the line of every mistake. Whether the recordings exist is not looked at.
std::vector<Recording> read_manifest_csv(const std::string& path, const std::string& folder = "");

}  // namespace serval::corpus
