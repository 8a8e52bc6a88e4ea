// `serval serve` as a process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serval/core/files.h"

#include "tests/support/background_process.h"
#include "tests/support/tone_bundle.h"

namespace serval::testing_support {

class ServedBundle {
 public:
  ServedBundle(const std::string& program, const std::string& bundle, const corpus::TempFolder& folder,
               const std::vector<std::string>& more = {})
      : out_(folder / "serve.out"), err_(folder / "serve.err") {
    std::vector<std::string> command = {program, "serve", bundle, "--device", "cpu", "--quiet"};
    if (std::find(more.begin(), more.end(), "--port") == more.end())
      command.insert(command.end(), {"--port", "0"});
    command.insert(command.end(), more.begin(), more.end());
    std::filesystem::remove(out_);
    process_ = std::make_unique<BackgroundProcess>(command, out_, err_);
    const auto said = [&] { return std::filesystem::exists(out_) ? read_text(out_) : ""; };
    if (!wait_for([&] { return said().find('\n') != std::string::npos || !process_->running(); }) ||
        !process_->running())
      throw std::runtime_error("the server did not start: " + read_text(err_));
    const std::string line = said();
    port_ = std::stoi(line.substr(line.rfind(':') + 1));
  }
  int port() const { return port_; }
  BackgroundProcess& process() { return *process_; }
  std::string errors() const { return read_text(err_); }

 private:
  std::string out_, err_;
  int port_ = 0;
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace serval::testing_support
