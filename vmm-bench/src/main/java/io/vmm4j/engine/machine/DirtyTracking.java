package io.vmm4j.engine.machine;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestCache;
import java.time.Duration;
import java.util.Arrays;

/**
 * What it costs to know the dirty pages: a guest that writes much, with the pages asked for now and
 * then and without, in turn. In this package to get at the asking alone. {@code ./bench
 * DirtyTracking}
 */
public final class DirtyTracking {
  private static final int ROUNDS = 15;
  private static final long SLICE = 2_000_000;
  private static final int SLICES = 50;

  private DirtyTracking() {}

  /** Runs all of it once and prints. */
  public static void main(String[] arguments) {
    GuestCache cache = GuestCache.locate();
    VmSpec spec =
        VmSpec.builder("dirty")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(512))
            .clock(ClockMode.VIRTUAL)
            .boot(
                LinuxBoot.kernel(cache.kernel().orElseThrow())
                    .initrd(cache.initrd().orElseThrow())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", Uart.com1())
            .build();
    try (Vm vm = Vm.start(spec)) {
      Duration patience = Duration.ofMinutes(10);
      vm.console("com1").expect("vmm4j:/root# ", patience);
      vm.console("com1")
          .sendLine("while true; do dd if=/dev/zero of=/tmp/x bs=1M count=16; done 2>/dev/null");
      vm.pause();
      Machine machine = ((VirtualMachine) vm).machine();
      double[] without = new double[ROUNDS];
      double[] with = new double[ROUNDS];
      long pages = 0;
      for (int i = -5; i < ROUNDS; i++) {
        double plain = run(vm);
        double asked = 0;
        for (int slice = 0; slice < SLICES; slice++) {
          long start = System.nanoTime();
          vm.step(SLICE);
          pages += machine.harvestWrites().cardinality();
          asked += System.nanoTime() - start;
        }
        if (i >= 0) {
          without[i] = plain;
          with[i] = asked;
        }
      }
      Arrays.sort(without);
      Arrays.sort(with);
      double instructions = SLICE * SLICES * 1e3;
      System.out.printf(
          "%.1f M instructions/s, with the dirty pages asked for every %.0f ms (%d pages each"
              + " time) %.1f: %.1f %% slower (medians of %d)%n",
          instructions / without[ROUNDS / 2],
          with[ROUNDS / 2] / SLICES / 1e6,
          pages / SLICES / (ROUNDS + 5),
          instructions / with[ROUNDS / 2],
          (with[ROUNDS / 2] / without[ROUNDS / 2] - 1) * 100,
          ROUNDS);
    }
  }

  private static double run(Vm vm) {
    double nanos = 0;
    for (int slice = 0; slice < SLICES; slice++) {
      long start = System.nanoTime();
      vm.step(SLICE);
      nanos += System.nanoTime() - start;
    }
    return nanos;
  }
}
