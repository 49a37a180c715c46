package io.vmm4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.VmState;
import io.vmm4j.api.VmStoppedException;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.engine.machine.DeviceCatalog;
import io.vmm4j.engine.machine.GuestPrograms;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** A machine whose guest rings the doorbells of a {@link BellDevice}, for every backend. */
public final class DoorbellGuest {
  private static final Duration LONG = Duration.ofSeconds(120);

  private DoorbellGuest() {}

  /** The machine, not yet running. */
  public static Vm create(
      Path directory, BackendChoice backend, ClockMode clock, int rounds, boolean ownThread)
      throws IOException {
    DeviceCatalog present = DeviceCatalog.load();
    Map<String, DeviceFactory<?, ?>> devices = new HashMap<>(present.factories());
    devices.put("bells", new BellDevice.Factory());
    DeviceCatalog catalog = new DeviceCatalog(devices, present.boards(), present.backends());
    VmSpec pc = GuestPrograms.spec(directory, backend, GuestPrograms.DOORBELLS).build();
    SequencedMap<String, DeviceConfig> withBells = new LinkedHashMap<>(pc.devices());
    withBells.put("bells", new BellDevice.Config(rounds, ownThread));
    return new VmEngineProvider(catalog, new BootLoaders())
        .create(
            new VmSpec(
                pc.name(),
                pc.backend(),
                pc.memory(),
                pc.cpus(),
                pc.boot(),
                pc.board(),
                withBells,
                clock,
                pc.startTime(),
                pc.randomSeed(),
                pc.consoleLimit(),
                pc.tscFrequencyHz(),
                pc.withoutCpuFeatures()));
  }

  /** Runs it to its end, at which device and guest have counted the same. */
  public static void finish(Vm vm) {
    vm.resume();
    awaitEnd(vm);
  }

  /** Waits for such an end. */
  public static void awaitEnd(Vm vm) {
    assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(42));
  }

  /** Takes it from backend to backend until it ends, saved wherever it happens to be. */
  public static void move(Vm first, List<BackendChoice> backends, int moves) {
    Vm vm = first;
    try {
      vm.resume();
      for (int move = 0; move < moves && !(vm.state() instanceof VmState.Ended); move++) {
        try (Snapshot snapshot = vm.snapshot()) {
          vm.close();
          vm = snapshot.resume(backends.get(move % backends.size()));
        } catch (VmStoppedException e) {
          break; // it has come to its end
        }
      }
      awaitEnd(vm);
    } finally {
      vm.close();
    }
  }
}
