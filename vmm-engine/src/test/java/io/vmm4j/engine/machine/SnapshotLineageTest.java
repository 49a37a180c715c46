package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.CaptureReport;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import io.vmm4j.snapshot.MemoryDigest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a machine, its snapshots and the machines made from them share, and what they don't. */
@Timeout(1200)
class SnapshotLineageTest {
  private static final int PAGES = 256;

  /** Writes somewhere in the machine's 2 MiB at each step, the more varied the longer it runs. */
  private static final FakeBackend.Script SCRIBBLE =
      (host, vcpu) -> {
        vcpu.gpr[0] = vcpu.gpr[0] * 6364136223846793005L + 1442695040888963407L + vcpu.gpr[1];
        long page = (vcpu.gpr[0] >>> 40) % PAGES;
        long address = 0x10_0000 + page * 4096 + (vcpu.gpr[0] >>> 33) % 500 * 8;
        var location = host.locate(address);
        long offset = location.offset() + address - location.base();
        host.vcpuWrites(offset, 8);
        host.memory().set(ValueLayout.JAVA_LONG, offset, vcpu.gpr[0] >>> 62);
        return Outcome.NEXT;
      };

  private final TestMachines machines = new TestMachines(SCRIBBLE);

  private static byte[] bytes(Snapshot snapshot) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    snapshot.writeTo(out);
    return out.toByteArray();
  }

  private Snapshot read(byte[] bytes, SnapshotResolver parents) throws IOException {
    return machines.factory.read(
        new ByteArrayInputStream(bytes), SnapshotLimits.standard(), parents);
  }

  private static Vm standing(Snapshot snapshot) {
    return snapshot.resume(ResumeOptions.standard().standing());
  }

  private static List<Object> contentsOf(Vm vm) throws IOException {
    try (Snapshot snapshot = vm.snapshot()) {
      return SnapshotContents.of(snapshot);
    }
  }

  /** All of RAM by way of guest physical addresses: what the guest itself would see. */
  private static byte[] ram(Vm vm) {
    return vm.memory().read(0x10_0000, PAGES * 4096);
  }

  @Test
  void machinesOfOneSnapshotDontSeeEachOthersWrites() throws IOException {
    try (Vm origin = machines.create(ClockMode.VIRTUAL)) {
      origin.step(500);
      try (Snapshot snapshot = origin.snapshot();
          Vm one = standing(snapshot);
          Vm two = standing(snapshot)) {
        byte[] then = ram(origin);
        one.memory().writeByte(0x10_0000, 77);
        one.step(300);
        assertThat(ram(two)).isEqualTo(then);
        assertThat(ram(origin)).isEqualTo(then);
        origin.step(300);
        one.memory().writeByte(0x10_0000, ram(origin)[0]);
        assertThat(ram(one)).isEqualTo(ram(origin));
        assertThat(contentsOf(two)).isEqualTo(SnapshotContents.of(snapshot));
      }
    }
  }

  @Test
  void machinesOutliveTheSnapshotAndTheMachineTheyCameFrom() throws IOException {
    Vm origin = machines.create(ClockMode.VIRTUAL);
    origin.step(500);
    Snapshot snapshot = origin.snapshot();
    List<Object> then = SnapshotContents.of(snapshot);
    List<Vm> clones = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      clones.add(standing(snapshot));
    }
    origin.close();
    snapshot.close();
    Collections.shuffle(clones, new Random(1));
    for (Vm clone : clones) {
      assertThat(contentsOf(clone)).isEqualTo(then);
      clone.close();
    }
  }

  @Test
  void aRewindWritesBackWhatWasWrittenSinceWhateverTheWay() throws IOException {
    Random random = new Random(2);
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      List<Snapshot> taken = new ArrayList<>();
      List<List<Object>> contents = new ArrayList<>();
      try {
        for (int i = 0; i < 60; i++) {
          vm.step(random.nextInt(100));
          switch (random.nextInt(3)) {
            case 0 -> {
              Snapshot snapshot = vm.snapshot();
              taken.add(snapshot);
              contents.add(SnapshotContents.of(snapshot));
            }
            case 1 -> vm.memory().write(0x10_0000 + random.nextInt(PAGES) * 4096L, new byte[4096]);
            default -> {
              if (!taken.isEmpty()) {
                int which = random.nextInt(taken.size());
                vm.restore(taken.get(which));
                assertThat(contentsOf(vm)).isEqualTo(contents.get(which));
              }
            }
          }
        }
        assertThat(taken).hasSizeGreaterThan(5);
      } finally {
        taken.forEach(Snapshot::close);
      }
    }
  }

  @Test
  void aCloneGoesBackToTheSnapshotItCameFrom() throws IOException {
    try (Vm origin = machines.create(ClockMode.VIRTUAL)) {
      origin.step(500);
      try (Snapshot snapshot = origin.snapshot();
          Vm clone = standing(snapshot)) {
        for (int i = 0; i < 3; i++) {
          clone.step(200);
          clone.restore(snapshot);
          assertThat(contentsOf(clone)).isEqualTo(SnapshotContents.of(snapshot));
        }
      }
    }
  }

  @Test
  void aSnapshotOfAnotherMachineBuiltAlikeIsRestoredToo() throws IOException {
    try (Vm one = machines.create(ClockMode.VIRTUAL);
        Vm two = machines.create(ClockMode.VIRTUAL)) {
      one.step(500);
      two.memory().writeByte(0x12_3456, 9);
      two.step(50);
      try (Snapshot snapshot = one.snapshot()) {
        two.restore(snapshot);
        assertThat(contentsOf(two)).isEqualTo(SnapshotContents.of(snapshot));
      }
    }
  }

  @Test
  void aChainOfAnyLengthIsWhatWasSaved() throws IOException {
    Random random = new Random(3);
    for (int length : new int[] {1, 2, 3, 7, 40}) {
      Map<UUID, byte[]> files = new HashMap<>();
      SnapshotResolver parents =
          (id, digest) -> {
            if (!files.containsKey(id)) {
              throw new SnapshotException.MissingParent(id.toString());
            }
            return new ByteArrayInputStream(files.get(id));
          };
      try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
        vm.step(2000);
        Snapshot parent = vm.snapshot();
        byte[] last = bytes(parent);
        files.put(parent.id(), last);
        for (int i = 0; i < length; i++) {
          vm.step(random.nextInt(30));
          Snapshot child = vm.snapshot(parent);
          assertThat(child.parentId()).contains(parent.id());
          parent.close();
          last = bytes(child);
          files.put(child.id(), last);
          parent = child;
        }
        try (Snapshot newest = parent;
            Snapshot read = read(last, parents)) {
          assertThat(SnapshotContents.of(read)).isEqualTo(SnapshotContents.of(newest));
          assertThat(read.parentId()).isEmpty();
          assertThat(last.length).isLessThan(bytes(read).length / 2);
          UUID missing = newest.parentId().orElseThrow();
          files.remove(missing);
          byte[] delta = last;
          assertThatThrownBy(() -> read(delta, parents))
              .isInstanceOf(SnapshotException.MissingParent.class)
              .hasMessageContaining(missing.toString());
        }
      }
    }
  }

  @Test
  void aParentOfAnotherLineageIsComparedByContents() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(2000);
      try (Snapshot taken = vm.snapshot();
          Snapshot parent = read(bytes(taken), SnapshotResolver.none())) {
        vm.step(10);
        try (Snapshot child = vm.snapshot(parent)) {
          byte[] delta = bytes(child);
          assertThat(delta.length).isLessThan(bytes(taken).length / 2);
          byte[] whole = bytes(parent);
          try (Snapshot read = read(delta, (id, digest) -> new ByteArrayInputStream(whole))) {
            assertThat(SnapshotContents.of(read)).isEqualTo(SnapshotContents.of(child));
          }
        }
      }
    }
  }

  @Test
  void aParentThatIsClosedIsRefusedBeforeAnythingIsTaken() {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      Snapshot parent = vm.snapshot();
      parent.close();
      assertThatThrownBy(() -> vm.snapshot(parent))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
      assertThatThrownBy(() -> vm.snapshot(SnapshotOptions.live().since(parent)))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aParentsDigestIsTheSameHoweverItIsCameBy() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(500);
      try (Snapshot first = vm.snapshot()) {
        MemoryDigest computed = ((MachineSnapshot) first).memoryDigest();
        try (Snapshot read = read(bytes(first), SnapshotResolver.none())) {
          assertThat(((MachineSnapshot) read).memoryDigest()).isEqualTo(computed);
          assertThat(((MachineSnapshot) first).memoryDigest()).isEqualTo(computed);
        }
      }
    }
  }

  @Test
  void aLiveSnapshotIsOneMomentOfTheRun() throws IOException {
    try (Vm vm = machines.start(ClockMode.REAL);
        Vm byHand = machines.create(ClockMode.VIRTUAL)) {
      long steps = 0;
      for (int i = 0; i < 5; i++) {
        try (Snapshot live = vm.snapshot(SnapshotOptions.live());
            Vm twin = standing(live)) {
          CaptureReport report = live.captureReport().orElseThrow();
          assertThat(report.passes()).isGreaterThan(1);
          assertThat(report.paused()).isLessThanOrEqualTo(report.total());
          // What the script has written follows from the number of its steps.
          long now = twin.cpuState(0).rip();
          byHand.step(now - steps);
          steps = now;
          assertThat(ram(twin)).isEqualTo(ram(byHand));
        }
      }
    }
  }

  @Test
  void aLiveSnapshotOfAMachineThatStandsIsTheSameAsAnother() throws IOException {
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(700);
      try (Snapshot stopped = vm.snapshot();
          Snapshot live = vm.snapshot(SnapshotOptions.live())) {
        assertThat(SnapshotContents.of(live)).isEqualTo(SnapshotContents.of(stopped));
      }
    }
  }

  @Test
  void aMappedFileIsTheSnapshotThatWasWritten(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("mapped.vmm");
    try (Vm vm = machines.create(ClockMode.VIRTUAL)) {
      vm.step(500);
      try (Snapshot taken = vm.snapshot()) {
        taken.writeTo(file, SaveOptions.standard().mapped());
        byte[] written = Files.readAllBytes(file);
        try (Snapshot mapped = readFile(file);
            Vm one = standing(mapped);
            Vm two = standing(mapped)) {
          assertThat(SnapshotContents.of(mapped)).isEqualTo(SnapshotContents.of(taken));
          one.step(200);
          vm.step(200);
          assertThat(contentsOf(one)).isEqualTo(contentsOf(vm));
          assertThat(contentsOf(two)).isEqualTo(SnapshotContents.of(taken));
          one.restore(mapped);
          assertThat(contentsOf(one)).isEqualTo(SnapshotContents.of(taken));
        }
        assertThat(Files.readAllBytes(file)).isEqualTo(written);
        // Over a stream it is a snapshot like any other.
        try (Snapshot read = read(written, SnapshotResolver.none())) {
          assertThat(SnapshotContents.of(read)).isEqualTo(SnapshotContents.of(taken));
        }
      }
    }
  }

  @Test
  void aDeltaToAMappedSnapshotIsWritten(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("mapped.vmm");
    try (Vm origin = machines.create(ClockMode.VIRTUAL)) {
      origin.step(2000);
      try (Snapshot taken = origin.snapshot()) {
        taken.writeTo(file, SaveOptions.standard().mapped());
      }
    }
    try (Snapshot mapped = readFile(file);
        Vm vm = standing(mapped)) {
      vm.step(10);
      try (Snapshot child = vm.snapshot(mapped)) {
        SnapshotResolver parents = (id, digest) -> Files.newInputStream(file);
        try (Snapshot read = read(bytes(child), parents)) {
          assertThat(SnapshotContents.of(read)).isEqualTo(SnapshotContents.of(child));
        }
      }
    }
  }

  @Test
  void aMappedFileThatWasChangedIsRefusedWhenItIsUsed(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("mapped.vmm");
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot taken = vm.snapshot()) {
      taken.writeTo(file, SaveOptions.standard().mapped());
      try (Snapshot mapped = readFile(file)) {
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
        assertThatThrownBy(() -> standing(mapped))
            .isInstanceOf(SnapshotException.Incompatible.class)
            .hasMessageContaining(file.toString());
      }
      // Replaced by another file, the old one lives on.
      try (Snapshot mapped = readFile(file)) {
        taken.writeTo(file);
        try (Vm vm2 = standing(mapped)) {
          assertThat(contentsOf(vm2)).isEqualTo(SnapshotContents.of(taken));
        }
      }
    }
  }

  private Snapshot readFile(Path file) throws IOException {
    return machines.factory.read(file, SnapshotLimits.standard(), SnapshotResolver.none());
  }

  @Test
  void optionsThatDontFitAreRefusedAndLeaveNothing() {
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot()) {
      ResumeOptions standard = ResumeOptions.standard().on(Backends.auto());
      assertThatThrownBy(() -> snapshot.resume(standard.catchUp()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("virtual time");
      assertThatThrownBy(
              () -> snapshot.resume(standard.rebind("nobody", TestDevice.Config.STANDARD)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'nobody'");
      assertThatThrownBy(() -> snapshot.fork(0)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
