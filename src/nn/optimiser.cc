#include "serval/nn/optimiser.h"

namespace serval::nn {

void describe(SettingsVisitor& v, OptimiserSettings& s) {
  using Type = OptimiserType;
  v.variants(
      "type", s.type,
      Options<Type>{
          {"adam", Type::kAdam}, {"adamw", Type::kAdamW}, {"sgd", Type::kSgd}, {"rmsprop", Type::kRmsProp}},
      {"optimiser"}, [&s](SettingsVisitor& fields) {
        const bool adam = s.type == Type::kAdam || s.type == Type::kAdamW;
        if (adam) {
          fields.real("beta1", s.beta1, {.min = 0, .max = 0.999999}, {"decay of the first moment"});
          fields.real("beta2", s.beta2, {.min = 0, .max = 0.999999}, {"decay of the second moment"});
        }
        if (s.type == Type::kRmsProp) {
          fields.real("alpha", s.alpha, {.min = 0, .max = 0.999999}, {"decay of the mean square"});
          fields.flag("centered", s.centered, {"divides by the deviation, not by the mean square"});
        }
        if (s.type != Type::kSgd) {
          fields.real("epsilon", s.epsilon, {.min = 0, .max = 1, .above_min = true},
                      {"keeps the quotient finite"});
        }
        if (!adam) {
          fields.real("momentum", s.momentum, {.min = 0, .max = 0.999999},
                      {"share of the last step that the next one keeps"});
        }
        if (s.type == Type::kSgd) {
          fields.flag("nesterov", s.nesterov, {"looks ahead by the momentum"});
          fields.check(!s.nesterov || s.momentum > 0, "nesterov", "needs a momentum above 0");
        }
      });
  v.real("learning_rate", s.learning_rate, {.min = 0, .max = 10, .above_min = true}, {"step size"});
  v.real("weight_decay", s.weight_decay, {.min = 0, .max = 1},
         {"adamw: taken off the weights beside the step; others: added to the gradient (L2)"});
}

std::vector<std::string> optimiser_slots(const OptimiserSettings& s) {
  std::vector<std::string> out;
  switch (s.type) {
    case OptimiserType::kSgd:
      break;
    case OptimiserType::kAdam:
    case OptimiserType::kAdamW:
      return {"first_moment", "second_moment"};
    case OptimiserType::kRmsProp:
      out.emplace_back("mean_square");
      if (s.centered) out.emplace_back("mean_gradient");
      break;
  }
  if (s.momentum > 0) out.emplace_back("momentum");
  return out;
}

}  // namespace serval::nn
