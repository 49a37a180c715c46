package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Translation;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.software.machinecode.MachineCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What vCPUs of the software backend that run at the same time see of each other: atomic
 * instructions, the order of accesses (x86-TSO, Intel SDM volume 3, 9.2), code that one writes and
 * another executes, shootdowns. The guest is {@code parallel.s}.
 */
@Timeout(1200)
class ParallelVcpusTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final int DATA = 0x20000;

  /** The tests in the guest, by number. */
  private enum Program {
    LOCKED,
    MISALIGNED,
    BUFFERING,
    PASSING,
    LOADS,
    INDEPENDENT,
    MODIFY,
    SHOOT,
    ACCESSED,
    WRITE_CODE,
    ENDLESS
  }

  @TempDir private Path directory;

  /** The interpreter alone, and machine code where it can be made. */
  static Stream<Translation> tiers() {
    return MachineCode.missing().isEmpty()
        ? Stream.of(Translation.OFF, Translation.REQUIRED)
        : Stream.of(Translation.OFF);
  }

  private static String program() throws IOException {
    try (InputStream in = ParallelVcpusTest.class.getResourceAsStream("parallel.hex")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.US_ASCII)
          .replaceAll("\\s", "");
    }
  }

  private Vm create(Translation tier, Program program, int cpus, int times) throws IOException {
    BackendChoice backend = Backends.software(tier);
    Vm vm = Vm.create(GuestPrograms.spec(directory, backend, program()).cpus(cpus).build());
    vm.memory().writeInt(0x680, program.ordinal());
    vm.memory().writeInt(0x684, times);
    vm.memory().writeInt(0x688, cpus);
    return vm;
  }

  /** Runs a program to its end. */
  private Vm run(Translation tier, Program program, int cpus, int times) throws IOException {
    Vm vm = create(tier, program, cpus, times);
    vm.resume();
    assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(1));
    return vm;
  }

  private static int number(Vm vm, int at) {
    return vm.memory().readInt(DATA + at);
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void eachVcpuHasAThread(Translation tier) throws IOException {
    try (Vm vm = create(tier, Program.ENDLESS, 4, 1)) {
      assertThat(Thread.getAllStackTraces().keySet().stream().map(Thread::getName))
          .contains("vmm-guest-vcpu-0", "vmm-guest-vcpu-3");
      assertThat(number(vm, 0)).isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void noLockedChangeIsLost(Translation tier) throws IOException {
    int cpus = 4;
    int times = tier == Translation.OFF ? 1_000 : 20_000;
    int total = cpus * times;
    try (Vm vm = run(tier, Program.LOCKED, cpus, times)) {
      assertThat(number(vm, 0)).as("xadd").isEqualTo(total);
      assertThat(number(vm, 8)).as("inc").isEqualTo(total);
      assertThat(number(vm, 0x10)).as("cmpxchg").isEqualTo(5 * total);
      assertThat(number(vm, 0x20)).as("cmpxchg16b, low").isEqualTo(total);
      assertThat(number(vm, 0x28)).as("cmpxchg16b, high").isEqualTo(3 * total);
      assertThat(number(vm, 0x30)).as("under a lock of bts").isEqualTo(total);
      assertThat(number(vm, 0x40)).as("under a lock of xchg").isEqualTo(total);
      assertThat((byte) number(vm, 0x50)).as("inc of a byte").isEqualTo((byte) total);
      assertThat((byte) (number(vm, 0x50) >> 8)).as("sub of a byte").isEqualTo((byte) -total);
      assertThat((short) (number(vm, 0x50) >> 16)).as("add").isEqualTo((short) (3 * total));
      assertThat(number(vm, 0x58)).as("adc").isEqualTo(2 * total);
      assertThat(number(vm, 0x60)).as("cmpxchg8b, low").isEqualTo(total);
      assertThat(number(vm, 0x64)).as("cmpxchg8b, high").isEqualTo(7 * total);
      assertThat(number(vm, 0x68)).as("xor, an even number of times").isZero();
      assertThat(number(vm, 0x70)).as("not, an even number of times").isZero();
      assertThat(number(vm, 0x74)).as("neg of zero").isZero();
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void noMisalignedLockedChangeIsLost(Translation tier) throws IOException {
    int cpus = 4;
    int times = 500;
    try (Vm vm = run(tier, Program.MISALIGNED, cpus, times)) {
      assertThat(number(vm, 0xFFE)).as("across a page").isEqualTo(cpus * times);
      assertThat(number(vm, 0x103D)).as("across a line").isEqualTo(cpus * times);
      assertThat((short) number(vm, 0x1002)).as("beside it").isEqualTo((short) (cpus * times));
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void aStoreMayWaitButNotBehindAFence(Translation tier) throws IOException {
    int times = 10_000;
    try (Vm vm = run(tier, Program.BUFFERING, 2, times)) {
      int late = 0;
      for (int i = 0; i < times; i++) {
        boolean bothZero = number(vm, 16 * i + 8) == 0 && number(vm, 16 * i + 12) == 0;
        late += bothZero ? 1 : 0;
        assertThat(bothZero && i >= times / 2).as("slot %d, with a fence", i).isFalse();
      }
      System.out.println("store buffering, " + tier + ": both late " + late + " of " + times / 2);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void aFlagIsNotSeenBeforeItsData(Translation tier) throws IOException {
    int times = tier == Translation.OFF ? 2_000_000 : 40_000_000;
    try (Vm vm = run(tier, Program.PASSING, 4, times)) {
      assertThat(number(vm, 0x80)).as("flags without data").isZero();
      assertThat(number(vm, 0xC0)).as("flags seen").isPositive();
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void noLoadSeesAStoreThatFollowsIt(Translation tier) throws IOException {
    int times = 10_000;
    try (Vm vm = run(tier, Program.LOADS, 2, times)) {
      for (int i = 0; i < times; i++) {
        assertThat(number(vm, 16 * i + 8) & number(vm, 16 * i + 12)).as("slot %d", i).isZero();
      }
    }
  }

  /** What a reader has noted: what it read first and then, neither of which ever goes back. */
  private record Note(int first, int then) {}

  private static List<Note> notes(Vm vm, int from, int end) {
    List<Note> notes = new ArrayList<>();
    for (int at = from; at < end; at += 8) {
      Note note = new Note(vm.memory().readInt(at), vm.memory().readInt(at + 4));
      if (note.first() == 0 && note.then() == 0) {
        break;
      }
      notes.add(note);
    }
    return notes;
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void allSeeStoresInOneOrder(Translation tier) throws IOException {
    int times = tier == Translation.OFF ? 2_000_000 : 40_000_000;
    try (Vm vm = run(tier, Program.INDEPENDENT, 4, times)) {
      List<Note> xThenY = notes(vm, 0x30000, 0x50000);
      List<Note> yThenX = notes(vm, 0x60000, 0x80000);
      assertThat(xThenY).isNotEmpty();
      assertThat(yThenX).isNotEmpty();
      int j = 0;
      for (Note a : xThenY) {
        while (j < yThenX.size() && yThenX.get(j).first() <= a.then()) {
          j++;
        }
        // One has seen this X before that Y was there; the other that Y before this X.
        if (j < yThenX.size()) {
          assertThat(a.first()).isLessThanOrEqualTo(yThenX.get(j).then());
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void codeThatAnotherHasChangedIsSeen(Translation tier) throws IOException {
    int times = 300;
    try (Vm vm = run(tier, Program.MODIFY, 4, times)) {
      assertThat(number(vm, 0x40)).as("calls of old code").isZero();
      assertThat(number(vm, 0x80)).isEqualTo(3 * times);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void codeIsSeenWhereThereWasData(Translation tier) throws IOException {
    int times = 300;
    try (Vm vm = run(tier, Program.WRITE_CODE, 4, times)) {
      assertThat(number(vm, 0x40)).as("calls of old code").isZero();
      assertThat(number(vm, 0x80)).isEqualTo(3 * times);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void noTranslationOutlivesAShootdown(Translation tier) throws IOException {
    try (Vm vm = run(tier, Program.SHOOT, 4, 200)) {
      assertThat(number(vm, 0x40)).as("loads from the old page").isZero();
      assertThat(number(vm, 0x80)).isPositive();
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void settingAccessedAndDirtyLosesNoOtherChange(Translation tier) throws IOException {
    int times = 20_000;
    try (Vm vm = run(tier, Program.ACCESSED, 4, times)) {
      long entry = vm.memory().readLong(0x5008);
      assertThat(entry >>> 52 & 0x7F).as("counted in the entry").isEqualTo(2L * times & 0x7F);
      assertThat(entry & 0xFFFFF000L).isEqualTo(0x42000);
      assertThat(number(vm, 0)).isEqualTo(2 * times);
    }
  }

  /**
   * That a count by all is no less than what each has counted for itself, and ahead by at most what
   * each is about to count.
   */
  private static void assertOneMoment(Vm vm) {
    long all = vm.memory().readLong(DATA);
    long each = 0;
    for (int i = 0; i < 4; i++) {
      long own = vm.memory().readLong(DATA + 0x40 + 64 * i);
      each += own;
      long newest = 0;
      for (int at = 0; at < 0x1000; at += 8) {
        newest = Math.max(newest, vm.memory().readLong(0x90000 + 0x1000 * i + at));
      }
      assertThat(newest).as("the newest store of vCPU %d", i).isBetween(own - 1, own);
    }
    assertThat(all - each).isBetween(0L, 4L);
  }

  /** Has the guest come to its end, and looks whether all was counted. */
  private static void assertEndsWell(Vm vm) {
    vm.pause();
    vm.memory().writeInt(DATA + 0x10, 1);
    vm.resume();
    assertThat(vm.awaitExit(LONG)).isEqualTo(new VmExit.DebugExit(1));
    assertThat(number(vm, 0x14)).as("vCPUs that have seen the end").isEqualTo(4);
    assertOneMoment(vm);
  }

  private static void awaitProgress(Vm vm) {
    long before = vm.memory().readLong(DATA);
    while (vm.memory().readLong(DATA) < before + 1000) {
      Thread.onSpinWait();
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void aSnapshotOfRunningVcpusIsOfOneMoment(Translation tier) throws IOException {
    try (Vm vm = create(tier, Program.ENDLESS, 4, 1)) {
      vm.resume();
      for (int i = 0; i < 8; i++) {
        awaitProgress(vm);
        SnapshotOptions options = i % 2 == 0 ? SnapshotOptions.stopped() : SnapshotOptions.live();
        try (Snapshot snapshot = vm.snapshot(options);
            Vm twin = snapshot.load(Backends.software(tier))) {
          assertOneMoment(twin);
          assertEndsWell(twin);
        }
      }
      try (Snapshot snapshot = vm.snapshot()) {
        awaitProgress(vm);
        vm.restore(snapshot);
        awaitProgress(vm);
      }
      assertEndsWell(vm);
    }
  }

  @ParameterizedTest
  @MethodSource("tiers")
  void vcpusThatRunAtTheSameTimeCanBePausedAgainAndAgain(Translation tier) throws IOException {
    try (Vm vm = create(tier, Program.ENDLESS, 4, 1)) {
      vm.resume();
      for (int i = 0; i < 300; i++) {
        vm.pause();
        long counted = vm.memory().readLong(DATA);
        assertOneMoment(vm);
        assertThat(vm.memory().readLong(DATA)).isEqualTo(counted);
        vm.resume();
      }
      awaitProgress(vm);
      assertEndsWell(vm);
    }
  }
}
