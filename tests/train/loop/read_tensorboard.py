#!/usr/bin/env python3
"""Prints the scalars of a folder of event files as TensorBoard itself reads them: {tag: [[step, value], ...]}."""
import json
import sys

from tensorboard.backend.event_processing import event_accumulator

reader = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={event_accumulator.SCALARS: 0})
reader.Reload()
json.dump({tag: [[e.step, e.value] for e in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}, sys.stdout)
