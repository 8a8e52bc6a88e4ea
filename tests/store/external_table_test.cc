// External features as CSV: tables by openSMILE, and what can be wrong with one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/external_fixtures.h"

namespace serval::store {
namespace {

using features::ExternalLayout;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class ExternalTableTest : public testing::Test {
 protected:
  ExternalFeatures table(const std::string& content) {
    return ExternalFeatures(external(folder_.write("t.csv", content)));
  }
  std::string error_of(const std::string& content) {
    return open_refusal(external(folder_.write("t.csv", content)));
  }
  corpus::TempFolder folder_;
};

TEST_F(ExternalTableTest, FunctionalsOfOpenSmile) {
  const ExternalFeatures set(external(golden("opensmile.csv")));
  EXPECT_EQ(set.layout(), ExternalLayout::kTable);
  EXPECT_THAT(set.names(), ElementsAre("/home/someone/corpus/tone_0.wav", "/home/someone/corpus/tone_1.wav",
                                       "/home/someone/corpus/tone_2.wav"));
  const features::FeatureMatrix first = set.read(0);
  EXPECT_EQ(first.frames, 1);
  EXPECT_EQ(first.dimension, 88);  // eGeMAPS: start and end are not among them
}

TEST_F(ExternalTableTest, FramesOfOpenSmile) {
  const ExternalFeatures set(external(golden("opensmile_frames.csv")));
  ASSERT_EQ(set.names().size(), 3u);
  const features::FeatureMatrix first = set.read(0);
  EXPECT_EQ(first.dimension, 3);
  EXPECT_EQ(first.frames, 46);
  EXPECT_THAT(std::vector<float>(first.values.begin() + 3, first.values.begin() + 6),
              ElementsAre(0.6054f, -27.2561f, 57.0324f));
}

TEST_F(ExternalTableTest, OtherWritersOfCsv) {
  const ExternalFeatures pandas = table(",x,y\nd/a,1,-2.5e-3\nd/b, 3 ,4\n");
  EXPECT_THAT(pandas.names(), ElementsAre("d/a", "d/b"));
  EXPECT_THAT(pandas.read(0).values, ElementsAre(1, -2.5e-3f));
  EXPECT_THAT(pandas.read(1).values, ElementsAre(3, 4));
  const ExternalFeatures program =
      table("name;frameTime;x\r\n'a';0;1\r\n'a';9.5;2\r\n'a';10;3\r\n'b';0;4\r\n");
  EXPECT_THAT(program.names(), ElementsAre("a", "b"));
  EXPECT_THAT(program.read(0).values, ElementsAre(1, 2, 3));
  EXPECT_THAT(program.read(1).values, ElementsAre(4));
  EXPECT_EQ(table("ID,start,x\na,1 days 00:00:00,1\na,1 days 00:01:00,2\n").read(0).frames, 2);
}

TEST_F(ExternalTableTest, EveryMistakeIsNamedWithItsLine) {
  EXPECT_THAT(error_of("file,x\na,1\nb,\nc,two\nd,1 2\n,5\n"),
              AllOf(HasSubstr("t.csv:3: column \"x\" is empty"), HasSubstr("t.csv:4: column \"x\": \"two\""),
                    HasSubstr("t.csv:5: column \"x\": \"1 2\" is not a number"),
                    HasSubstr("t.csv:6: the field \"file\" is empty")));
  EXPECT_THAT(error_of("file,x\na,1,2\n"), HasSubstr("t.csv:2: 3 fields"));
  EXPECT_THAT(error_of("file,x\na,1\nb,1\na,2\n"),
              AllOf(HasSubstr("t.csv:4: \"a\" was there in line 2"), HasSubstr("need a column \"start\"")));
  EXPECT_THAT(error_of("file,start,x\na,0,1\nb,0,1\na,1,2\n"), HasSubstr("must follow each other"));
  EXPECT_THAT(error_of("file,start,x\na,2,1\na,1,1\n"), HasSubstr("t.csv:3: \"a\" goes on, but not later"));
  EXPECT_THAT(error_of("file,start,x\na,0 days 00:00:01,1\na,0 days 00:00:01,1\n"), HasSubstr("not later"));
  EXPECT_THAT(error_of("x,y\n1,2\n"),
              HasSubstr("must say whose features a row has, and be called file or id"));
  EXPECT_THAT(error_of("file,start,end\na,1,2\n"), HasSubstr("names no column of features"));
  EXPECT_THAT(error_of("file,x\n"), HasSubstr("a header and no rows"));
  EXPECT_THAT(error_of(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal(table("file,x,y\na,1,nan\n"), "a"), HasSubstr("t.csv:2: frame 0, value 1 is nan"));
}

}  // namespace
}  // namespace serval::store
