"""A campaign without a composition, quick to model, as a user would write it by hand."""

from __future__ import annotations

QUESTION = """\
alloyloop: 1
name: Dense 316L
process:
  laser_power_W: {min: 100, max: 400}
  scan_speed_mm_per_s: {min: 200, max: 1000, step: 100}
  gas: {choices: [argon, nitrogen]}
rules:
  - laser_power_W >= 0.2 scan_speed_mm_per_s
  - laser_power_W <= 300 if gas is nitrogen
properties:
  relative_density_pct: {goal: maximize}
model: gaussian-process
batch: 2
seed: 1
"""

EXPERIMENTS = """\
id,status,round,laser_power_W,scan_speed_mm_per_s,gas,relative_density_pct,relative_density_pct_std,relative_density_pct_n,reason,note
A,known,,200,400,argon,97.2,,,,
B,known,,300,400,argon,98.9,,,,
C,known,,300,800,nitrogen,97.9,,,,
D,known,,250,600,,96.0,,,,
"""
