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
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Machines with a device of a test's own, whose guest ends with 42 if all went well. */
public final class ExtraDevice {
  private static final Duration LONG = Duration.ofMinutes(10);

  private ExtraDevice() {}

  /** The machine, not yet running. */
  static <C extends Record & DeviceConfig> Vm create(
      VmSpec pc, ClockMode clock, DeviceFactory<C, ?> factory, C config) {
    DeviceCatalog present = DeviceCatalog.load();
    Map<String, DeviceFactory<?, ?>> devices = new HashMap<>(present.factories());
    devices.put(factory.type(), factory);
    DeviceCatalog catalog = new DeviceCatalog(devices, present.boards(), present.backends());
    SequencedMap<String, DeviceConfig> all = new LinkedHashMap<>(pc.devices());
    all.put(factory.type(), config);
    return new VmEngineProvider(catalog, new BootLoaders())
        .create(
            new VmSpec(
                pc.name(),
                pc.backend(),
                pc.memory(),
                pc.cpus(),
                pc.boot(),
                pc.board(),
                all,
                clock,
                pc.startTime(),
                pc.randomSeed(),
                pc.consoleLimit(),
                pc.tscFrequencyHz(),
                pc.withoutCpuFeatures(),
                pc.withCpuFeatures(),
                pc.cpuVendor()));
  }

  /** Runs it to its end. */
  public static void finish(Vm vm) {
    vm.resume();
    awaitEnd(vm);
  }

  /** Waits for the end. */
  public static void awaitEnd(Vm vm) {
    assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(42));
  }

  /**
   * Takes it from backend to backend until it ends, saved wherever it happens to be, the first time
   * to the first of them.
   */
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
