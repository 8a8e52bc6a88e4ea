// The fields of a feature part, group by group.
#pragma once

#include "serval/features/settings.h"

namespace serval::features {

void describe_frames(SettingsVisitor& v, FrameSettings& s);
// The parts of describe_frames that matter where there is no transform.
void describe_lengths(SettingsVisitor& v, FrameSettings& s);
void describe_hop(SettingsVisitor& v, FrameSettings& s);
void describe_padding(SettingsVisitor& v, FrameSettings& s);
void describe_mel(SettingsVisitor& v, MelSettings& s);
void describe_power(SettingsVisitor& v, MelSettings& s);
void describe_log(SettingsVisitor& v, LogSettings& s);
void describe_cepstrum(SettingsVisitor& v, CepstrumSettings& s, int n_mels);
void describe_energy(SettingsVisitor& v, EnergySettings& s);
void describe_zcr(SettingsVisitor& v, DescriptorSettings& s);
void describe_bandwidth(SettingsVisitor& v, DescriptorSettings& s);
void describe_rolloff(SettingsVisitor& v, DescriptorSettings& s);
void describe_flatness(SettingsVisitor& v, DescriptorSettings& s);
void describe_contrast(SettingsVisitor& v, DescriptorSettings& s);
void describe_chroma(SettingsVisitor& v, ChromaSettings& s);
void describe_f0(SettingsVisitor& v, F0Settings& s);
void describe_hnr(SettingsVisitor& v, HnrSettings& s);
void describe_teager(SettingsVisitor& v, TeagerSettings& s);
void describe_modulation(SettingsVisitor& v, ModulationSettings& s);
void describe_pcen(SettingsVisitor& v, PcenSettings& s);
void describe_deltas(SettingsVisitor& v, DeltaSettings& s);
void describe_statistics(SettingsVisitor& v, PartSettings& s);

}  // namespace serval::features
