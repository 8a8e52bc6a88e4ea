#include "written.h"

#include "serval/core/settings_io.h"

#include "layers.h"
#include "shared_settings.h"

namespace serval::nn {

void Written::add(const std::string& what, const char* type, const std::string& settings,
                  const std::vector<int>& inputs) {
  std::vector<std::string> errors;
  const std::string text = cat("{\"type\": \"", type, "\"", settings.empty() ? "" : ", ", settings, "}");
  const auto layer = read_settings<LayerSettings>(parse_json(text, what), errors);
  SERVAL_CHECK(errors.empty(), text, ": ", errors.front());
  value_ = node_->add(what, *layer.body, inputs);
}
Written& Written::add(const std::string& what, const char* type, const std::string& settings) {
  add(what, type, settings, {value_});
  return *this;
}
Written& Written::join(const std::string& what, const char* type, int other) {
  add(what, type, "", {value_, other});
  return *this;
}

namespace {

template <class E>
const char* name_in(const Options<E>& options, E wanted) {
  for (const auto& [name, value] : options) {
    if (value == wanted) return name;
  }
  throw InternalError("a choice without a name");
}

}  // namespace

const char* name_of(Activation activation) { return name_in(activation_names(), activation); }
const char* name_of(InitKind kind) { return name_in(initialiser_names(), kind); }

std::string conv_settings(std::int64_t channels, std::int64_t kernel, std::int64_t stride, InitKind init,
                          const std::string& more) {
  return cat("\"channels\": ", channels, ", \"kernel\": ", kernel, ", \"stride\": ", stride,
             ", \"initialiser\": \"", name_of(init), "\"", more.empty() ? "" : ", ", more);
}

}  // namespace serval::nn
