#include "serval/core/sha256.h"

#include <gtest/gtest.h>

#include "serval/core/error.h"

#include "tests/corpus/corpus_fixtures.h"

namespace serval {
namespace {

// The examples that NIST publishes with FIPS 180-4, and a million times "a".
TEST(Sha256, GivesTheStandardsExamples) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheMessageComes) {
  std::string message;
  for (int i = 0; i < 300; ++i) message.push_back(static_cast<char>(i * 7));
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    Sha256 sum;
    sum.bytes(message.data(), cut).bytes(message.data() + cut, message.size() - cut);
    ASSERT_EQ(sum.hex(), sha256(message)) << cut;
  }
}

TEST(Sha256, ReadsFiles) {
  const corpus::TempFolder folder;
  const std::string content(200000, 'x');
  EXPECT_EQ(sha256_file(folder.write("a.bin", content)), sha256(content));
  EXPECT_THROW(sha256_file(folder / "none"), DataError);
}

}  // namespace
}  // namespace serval
