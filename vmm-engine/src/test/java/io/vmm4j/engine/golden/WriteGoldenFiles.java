package io.vmm4j.engine.golden;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuModel;
import io.vmm4j.api.clock.ClockMode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * Writes golden snapshots, when a version of the format is released. Not among the tests: run with
 *
 * <pre>
 * ./test -pl vmm-engine -Dtest=WriteGoldenFiles -Dsurefire.failIfNoSpecifiedTests=false \
 *     -Dvmm4j.golden=src/test/resources/io/vmm4j/engine/golden/VERSION
 * </pre>
 *
 * A file that is there already is left as it is and fails the run: what a release wrote stays.
 */
class WriteGoldenFiles {
  private static final String DIRECTORY = "vmm4j.golden";

  @Test
  void writesThoseThatAreNotThere() throws IOException {
    String name = System.getProperty(DIRECTORY);
    assumeTrue(name != null, "no directory is given by -D" + DIRECTORY);
    Path directory = Files.createDirectories(Path.of(name));
    Path work = Files.createDirectories(Path.of("target", "golden"));
    for (GoldenGuest.Moment moment : GoldenGuest.Moment.values()) {
      try (Vm vm = Vm.create(GoldenGuest.spec(work, ClockMode.VIRTUAL, false))) {
        GoldenGuest.runTo(vm, moment);
        save(vm, directory, moment.name().toLowerCase(Locale.ROOT).replace('_', '-'));
      }
    }
    try (Vm vm = Vm.create(GoldenGuest.spec(work, ClockMode.VIRTUAL, true))) {
      GoldenGuest.runTo(vm, GoldenGuest.Moment.HALTED);
      save(vm, directory, "every-device");
    }
    VmSpec vectors =
        GoldenGuest.spec(work, ClockMode.VIRTUAL, false).toBuilder().cpuModel(CpuModel.V3).build();
    try (Vm vm = Vm.create(vectors)) {
      GoldenGuest.runTo(vm, GoldenGuest.Moment.HALTED);
      save(vm, directory, "vectors");
    }
    try (Vm vm = Vm.create(GoldenGuest.spec(work, ClockMode.REAL, false))) {
      GoldenGuest.runUntilItTicks(vm);
      save(vm, directory, "real-clock");
    }
  }

  private static void save(Vm vm, Path directory, String name) throws IOException {
    Path file = directory.resolve(name + ".vmm");
    assertThat(file).as("a golden file that is there already").doesNotExist();
    try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)) {
      vm.snapshotTo(out);
    }
    System.out.println(file + ": " + Files.size(file) + " bytes");
  }
}
