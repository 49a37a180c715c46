package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/** The same run of a guest under virtual time, again and again, each through another snapshot. */
final class RepeatedRun {
  private RepeatedRun() {}

  /**
   * Fails unless a run has the same end with and without a snapshot in it.
   *
   * @param length of the run in instructions
   * @param distance between two points at which a snapshot is taken
   * @param check what the machine is to be like after a run without one
   */
  static void throughSnapshots(VmSpec spec, long length, long distance, Consumer<Vm> check)
      throws IOException {
    List<Object> straight;
    try (Vm vm = Vm.create(spec)) {
      vm.step(length);
      check.accept(vm);
      straight = contents(vm);
    }
    for (long point = 0; point <= length; point += distance) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (Vm first = Vm.create(spec)) {
        first.step(point);
        first.snapshotTo(out);
      }
      try (Snapshot read = Snapshot.read(new ByteArrayInputStream(out.toByteArray()));
          Vm second = read.load(Backends.software())) {
        second.step(length - point);
        assertThat(contents(second)).as("through a snapshot at %d", point).isEqualTo(straight);
      }
    }
  }

  /** All of a machine's state. */
  static List<Object> contents(Vm vm) throws IOException {
    try (Snapshot snapshot = vm.snapshot()) {
      return SnapshotContents.of(snapshot);
    }
  }
}
