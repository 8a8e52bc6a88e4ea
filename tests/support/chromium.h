// A browser without a window, driven by its DevTools protocol.
#pragma once

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "serval/core/error.h"
#include "serval/core/files.h"
#include "serval/core/json_line.h"

#include "tests/support/background_process.h"
#include "tests/support/web_client.h"

namespace serval::testing_support {

class Chromium {
 public:
  // `more`: further arguments, as of a fake microphone. Its profile lies in the folder.
  Chromium(const std::string& folder, const std::vector<std::string>& more = {}) {
    const std::string profile = folder + "/profile";
    std::filesystem::remove_all(profile);
    std::vector<std::string> command = {"chromium",
                                        "--headless",
                                        "--no-sandbox",
                                        "--disable-gpu",
                                        "--hide-scrollbars",
                                        "--remote-debugging-port=0",
                                        "--user-data-dir=" + profile};
    command.insert(command.end(), more.begin(), more.end());
    command.emplace_back("about:blank");
    process_ =
        std::make_unique<BackgroundProcess>(command, folder + "/chromium.out", folder + "/chromium.err");
    const std::string file = profile + "/DevToolsActivePort";
    if (!wait_for(
            [&] { return std::filesystem::exists(file) && read_text(file).find('\n') != std::string::npos; },
            60))
      throw std::runtime_error("chromium did not start: " + read_text(folder + "/chromium.err"));
    port_ = std::stoi(read_text(file));
    std::string target;
    wait_for([&] {
      const JsonValue pages = parse_json(get(port_, "/json/list").body(), "pages");
      for (const JsonValue& page : pages.items) {
        if (page.find("type")->text == "page") target = page.find("webSocketDebuggerUrl")->text;
      }
      return !target.empty();
    });
    socket_ = std::make_unique<SocketClient>(port_, target.substr(target.find("/devtools")));
    call("Page.enable");
    call("Runtime.enable");
    call("Log.enable");
  }

  JsonValue call(const std::string& method, const JsonValue& parameters = JsonValue::object()) {
    JsonValue request = JsonValue::object();
    request.set("id", JsonValue::of(++id_));
    request.set("method", JsonValue::of(method));
    request.set("params", parameters);
    socket_->send(write_json_line(request));
    for (;;) {
      const std::optional<JsonValue> message = socket_->next();
      if (!message) throw std::runtime_error("chromium closed the connection");
      if (const JsonValue* id = message->find("id"); id != nullptr && id->integer == id_) {
        if (const JsonValue* error = message->find("error"))
          throw std::runtime_error(method + ": " + write_json_line(*error));
        return *message->find("result");
      }
      note(*message);
    }
  }
  void open(const std::string& url) {
    call("Page.navigate", JsonValue::object().set("url", JsonValue::of(url)));
  }

  // The value of an expression, which may be a promise.
  JsonValue evaluate(const std::string& expression) {
    JsonValue parameters = JsonValue::object();
    parameters.set("expression", JsonValue::of(expression));
    parameters.set("awaitPromise", JsonValue::of(true));
    parameters.set("returnByValue", JsonValue::of(true));
    parameters.set("userGesture", JsonValue::of(true));
    const JsonValue said = call("Runtime.evaluate", parameters);
    if (said.find("exceptionDetails") != nullptr)
      throw std::runtime_error(expression + ": " + write_json_line(said));
    const JsonValue* value = said.find("result")->find("value");
    return value == nullptr ? JsonValue() : *value;
  }
  bool wait_until(const std::string& condition, double seconds = 30) {
    return wait_for([&] { return evaluate(condition).boolean; }, seconds);
  }
  void choose_file(const std::string& selector, const std::string& path) {
    const JsonValue root = call("DOM.getDocument");
    JsonValue query = JsonValue::object();
    query.set("nodeId", *root.find("root")->find("nodeId"));
    query.set("selector", JsonValue::of(selector));
    JsonValue parameters = JsonValue::object();
    parameters.set("nodeId", *call("DOM.querySelector", query).find("nodeId"));
    parameters.set("files", JsonValue::of(std::vector<std::string>{path}));
    call("DOM.setFileInputFiles", parameters);
  }
  void resize(int width, int height, bool dark = false) {
    JsonValue size = JsonValue::object();
    size.set("width", JsonValue::of(width)).set("height", JsonValue::of(height));
    size.set("deviceScaleFactor", JsonValue::of(1)).set("mobile", JsonValue::of(width < 600));
    call("Emulation.setDeviceMetricsOverride", size);
    JsonValue feature = JsonValue::object();
    feature.set("name", JsonValue::of("prefers-color-scheme"))
        .set("value", JsonValue::of(dark ? "dark" : "light"));
    JsonValue features = JsonValue::list();
    features.items.push_back(feature);
    call("Emulation.setEmulatedMedia", JsonValue::object().set("features", features));
  }
  void screenshot(const std::string& path) {
    const std::string text = call("Page.captureScreenshot").find("data")->text;
    std::string bytes;
    int bits = 0, count = 0;
    for (const char c : text) {
      static const std::string kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      const std::size_t digit = kDigits.find(c);
      if (digit == std::string::npos) break;
      bits = (bits << 6 | static_cast<int>(digit)) & 0xffff;
      count += 6;
      if (count >= 8) bytes.push_back(static_cast<char>(bits >> (count -= 8) & 0xff));
    }
    std::ofstream(path, std::ios::binary) << bytes;
  }
  // What the page, or the browser about it, has complained of.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void note(const JsonValue& message) {
    const JsonValue* method = message.find("method");
    if (method == nullptr) return;
    const std::string& name = method->text;
    if (name == "Runtime.exceptionThrown" || name == "Runtime.consoleAPICalled" || name == "Log.entryAdded")
      complaints_.push_back(write_json_line(message));
  }

  std::unique_ptr<BackgroundProcess> process_;
  std::unique_ptr<SocketClient> socket_;
  std::vector<std::string> complaints_;
  int port_ = 0;
  int id_ = 0;
};

}  // namespace serval::testing_support
