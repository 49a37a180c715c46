package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.backend.LocalApicState;
import io.vmm4j.api.backend.MsrState;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.VmClock;
import io.vmm4j.devices.bootrom.BootRomConfig;
import io.vmm4j.snapshot.Leftovers;
import io.vmm4j.snapshot.MachineSchemas;
import io.vmm4j.snapshot.StateChunk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A machine whose clock catches up with the host's: what a guest can tell time by, on any backend.
 * The snapshot is an hour old without anybody waiting for it.
 */
public final class CatchUp {
  private static final int CPUS = 3;
  private static final Duration AGE = Duration.ofHours(1);
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();

  private static final int VECTOR = 0x51;
  private static final int LVT_TIMER = 0x32;
  private static final int INITIAL_COUNT = 0x38;
  private static final int DIVIDE = 0x3E;
  private static final int SPURIOUS = 0x0F;
  private static final int REQUESTED = 0x20;
  private static final int ONE_SHOT = 0;
  private static final int PERIODIC = 1 << 17;
  private static final int TSC_DEADLINE_MODE = 2 << 17;
  private static final int TSC_DEADLINE = 0x6E0;
  private static final int BY_128 = 0xA;

  private final BackendChoice backend;
  private final MachineFactory factory =
      new MachineFactory(DeviceCatalog.load(), new TestMachines.NoBoot());

  /** On a backend. */
  public CatchUp(BackendChoice backend) {
    this.backend = backend;
  }

  /** All counters are an hour further on, and as far from one another as they were. */
  public void countersOfAllVcpus(Path directory) throws IOException {
    long[] ahead = {0, 5_000_000_007L, -77_777};
    try (Snapshot hourAgo = hourAgo(directory, (i, hz) -> cpu -> cpu.withTscAdvanced(ahead[i]))) {
      List<CpuState> then = vcpus((MachineSnapshot) hourAgo);
      try (Vm vm = factory.resume((MachineSnapshot) hourAgo, standing())) {
        long hz = ((MachineSnapshot) hourAgo).image().description().tscFrequencyHz();
        long passed = vm.cpuState(0).tsc() - then.getFirst().tsc();
        assertThat(passed).isGreaterThanOrEqualTo(VmClock.nanosToTicks(AGE.toNanos(), hz));
        for (int i = 0; i < CPUS; i++) {
          assertThat(vm.cpuState(i).tsc() - then.get(i).tsc()).as("vcpu/%d", i).isEqualTo(passed);
        }
        assertThat(Duration.ofNanos(VmClock.ticksToNanos(passed, hz)))
            .as("the counters have passed what the clock has")
            .isCloseTo(
                Duration.ofNanos(vm.clock().nanoTime() - clockOf(hourAgo)), Duration.ofNanos(100));
      }
      try (Vm vm = factory.resume((MachineSnapshot) hourAgo, continuing())) {
        assertThat(vm.cpuState(1).tsc()).isEqualTo(then.get(1).tsc());
      }
    }
  }

  /** A one-shot timer of the local APIC that was due in ten minutes interrupts at once. */
  public void oneShotTimers(Path directory) throws IOException {
    int count = (int) (10 * MINUTE / 128);
    requestsAtOnce(directory, ONE_SHOT, count, nanos -> nanos + 10 * MINUTE);
  }

  /** So does a TSC deadline. */
  public void tscDeadlines(Path directory) throws IOException {
    requestsAtOnce(directory, TSC_DEADLINE_MODE, 0, nanos -> nanos + 10 * MINUTE);
  }

  /** A periodic timer interrupts once, and then at the next end of a period, counted from then. */
  public void periodicTimers(Path directory) throws IOException {
    int count = (int) (7 * MINUTE / 128);
    requestsAtOnce(directory, PERIODIC, count, nanos -> nanos + MINUTE);
  }

  /** What is not due yet stays where it is. */
  public void laterTimersStay(Path directory) throws IOException {
    long later = AGE.multipliedBy(3).toNanos();
    try (Snapshot hourAgo =
        hourAgo(directory, (i, hz) -> timer(hz, TSC_DEADLINE_MODE, 0, nanos -> nanos + later))) {
      long deadline = vcpus((MachineSnapshot) hourAgo).get(1).msr(TSC_DEADLINE);
      try (Vm vm = factory.resume((MachineSnapshot) hourAgo, standing())) {
        CpuState now = vm.cpuState(1);
        assertThat(now.msr(TSC_DEADLINE)).isEqualTo(deadline);
        assertThat(Duration.ofNanos(now.apic().timerDeadlineNanos()))
            .isCloseTo(Duration.ofNanos(clockOf(hourAgo) + later), Duration.ofMillis(1));
        assertThat(isRequested(now)).isFalse();
      }
    }
  }

  private void requestsAtOnce(
      Path directory, int mode, int initialCount, UnaryOperator<Long> deadline) throws IOException {
    try (Snapshot hourAgo = hourAgo(directory, (i, hz) -> timer(hz, mode, initialCount, deadline));
        Vm vm = factory.resume((MachineSnapshot) hourAgo, standing())) {
      vm.resume();
      for (int i = 0; i < CPUS; i++) {
        // The limit of the test's class is what ends this if it is never so.
        while (!isRequested(vm.cpuState(i))) {
          Thread.onSpinWait();
        }
      }
      vm.pause();
      long period = 128L * Integer.toUnsignedLong(initialCount);
      for (int i = 0; i < CPUS && mode == PERIODIC; i++) {
        long next = vm.cpuState(i).apic().timerDeadlineNanos();
        long sinceFirst = next - deadline.apply(clockOf(hourAgo));
        assertThat(next).isGreaterThan(vm.clock().nanoTime());
        // KVM's counts are whole ones of the divided clock, and run while it is looked at.
        long phase = sinceFirst % period;
        assertThat(Math.min(phase, period - phase)).isLessThan(Duration.ofSeconds(5).toNanos());
      }
      for (int i = 0; i < CPUS && mode != PERIODIC; i++) {
        assertThat(vm.cpuState(i).apic().timerDeadlineNanos()).isEqualTo(-1);
      }
    }
  }

  private static boolean isRequested(CpuState cpu) {
    return (cpu.apic().registers()[REQUESTED + VECTOR / 32] & 1 << VECTOR % 32) != 0;
  }

  private ResumeOptions continuing() {
    return ResumeOptions.standard().on(backend).standing();
  }

  private ResumeOptions standing() {
    return continuing().catchUp();
  }

  /** Has a timer of the local APIC run, with interrupts disabled in the processor. */
  private static UnaryOperator<CpuState> timer(
      long hz, int mode, int initialCount, UnaryOperator<Long> deadline) {
    return cpu -> {
      LocalApicState apic = cpu.apic();
      int[] registers = apic.registers().clone();
      registers[SPURIOUS] = 0x1FF;
      registers[LVT_TIMER] = mode | VECTOR;
      registers[DIVIDE] = BY_128;
      registers[INITIAL_COUNT] = initialCount;
      long at = deadline.apply(0L);
      LocalApicState running = new LocalApicState(apic.id(), registers, at, false, false, 0);
      List<MsrState> msrs = new ArrayList<>(cpu.msrs());
      if (mode == TSC_DEADLINE_MODE) {
        msrs.replaceAll(msr ->
            msr.index() == TSC_DEADLINE
                ? new MsrState(TSC_DEADLINE, cpu.tsc() + VmClock.nanosToTicks(at, hz))
                : msr);
      }
      return new CpuState(
          cpu.gpr(),
          cpu.rip(),
          cpu.rflags(),
          cpu.es(),
          cpu.cs(),
          cpu.ss(),
          cpu.ds(),
          cpu.fs(),
          cpu.gs(),
          cpu.ldtr(),
          cpu.tr(),
          cpu.gdtr(),
          cpu.idtr(),
          cpu.cr0(),
          cpu.cr2(),
          cpu.cr3(),
          cpu.cr4(),
          cpu.dr(),
          cpu.xcr0(),
          cpu.xsave(),
          msrs,
          cpu.events(),
          cpu.activity(),
          running,
          cpu.tsc());
    };
  }

  /** What becomes of a vCPU, on a machine whose counters count at {@code hz}. */
  private interface Change {
    UnaryOperator<CpuState> of(int vcpu, long hz);
  }

  /** A machine that loops, saved before its first instruction, at guest time 0, an hour ago. */
  private Snapshot hourAgo(Path directory, Change change) throws IOException {
    byte[] rom = new byte[16];
    rom[0] = (byte) 0xEB; // jmp $
    rom[1] = (byte) 0xFE;
    Path image = Files.write(directory.resolve("rom"), rom);
    VmSpec spec =
        VmSpec.builder("sleeper")
            .backend(backend)
            .memory(MemorySize.mebibytes(1))
            .cpus(CPUS)
            .boot(new BootSource.ResetVector())
            .device("rom", new BootRomConfig(image.toString()))
            .build();
    try (Vm vm = Vm.create(spec);
        Snapshot taken = vm.snapshot()) {
      MachineSnapshot ours = (MachineSnapshot) taken;
      List<StateChunk> states = new ArrayList<>(ours.image().states());
      for (int i = 0; i < CPUS; i++) {
        String path = MachineImage.vcpuPath(i);
        UnaryOperator<CpuState> how = change.of(i, ours.image().description().tscFrequencyHz());
        states.replaceAll(state ->
            state.path().equals(path)
                ? StateChunk.of(
                    MachineImage.VCPU,
                    path,
                    MachineSchemas.CPU,
                    how.apply(state.decode(MachineSchemas.CPU)))
                : state);
      }
      ours.memory().retain();
      return new MachineSnapshot(
          factory,
          ours.id(),
          Instant.now().minus(AGE),
          new MachineImage(ours.image().description(), states, ours.image().mappings()),
          Optional.empty(),
          Leftovers.none(),
          ours.memory());
    }
  }

  private static List<CpuState> vcpus(MachineSnapshot snapshot) {
    return snapshot.image().states().stream()
        .filter(state -> state.type().equals(MachineImage.VCPU))
        .map(state -> state.decode(MachineSchemas.CPU))
        .toList();
  }

  private static long clockOf(Snapshot snapshot) {
    return ((MachineSnapshot) snapshot)
        .image().states().stream()
            .filter(state -> state.type().equals(MachineImage.CLOCK))
            .map(state -> state.decode(io.vmm4j.snapshot.ClockState.SCHEMA).nanoTime())
            .findFirst()
            .orElseThrow();
  }
}
