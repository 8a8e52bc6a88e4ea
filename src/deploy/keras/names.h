// Names of layers that Keras takes.
#pragma once

#include <vector>

#include "serval/deploy/keras.h"
#include "serval/nn/network.h"

namespace serval::deploy::keras {

// A layer that has a name keeps it, with "_" for what is no letter, digit or "-"; those that it is made of have it before their
// own. Others are called by class and counted: lstm, lstm_1. No two are the same.
void name_layers(const nn::NetworkSettings& network, std::vector<KerasLayer>& layers);

}  // namespace serval::deploy::keras
