package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.HostMemoryException;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.SaveOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.engine.machine.FakeBackend.Outcome;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The host can't give a page of a machine's memory: here because the file it is mapped from was
 * cut, elsewhere because a file system is full. Both are the same fault.
 */
@Timeout(1200)
class MemoryFaultTest {
  private static final long ADDRESS = 0x10_0000;
  private static final int UNTIL_COMPILED = 20_000;

  private static final FakeBackend.Script READ =
      (host, vcpu) -> {
        var location = host.locate(ADDRESS);
        vcpu.gpr[0] =
            host.memory().get(ValueLayout.JAVA_LONG, location.offset() + ADDRESS - location.base());
        return Outcome.NEXT;
      };

  @TempDir private Path directory;

  private final TestMachines machines = new TestMachines(READ);

  /** A machine that shares the memory of a file, which has been cut since. */
  private Vm ofACutFile(Path file) throws Exception {
    try (Vm vm = machines.create(ClockMode.VIRTUAL);
        Snapshot snapshot = vm.snapshot()) {
      snapshot.writeTo(file, SaveOptions.standard().mapped());
    }
    try (Snapshot mapped =
        machines.factory.read(file, SnapshotLimits.standard(), SnapshotResolver.none())) {
      Vm vm = mapped.resume(ResumeOptions.standard().standing());
      try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
        cut.setLength(4096);
      }
      return vm;
    }
  }

  @Test
  void aGuestThatMeetsItCrashesWithTheNameOfWhatFailed() throws Exception {
    Path file = directory.resolve("cut.vmm");
    try (Vm vm = ofACutFile(file)) {
      vm.step(1);
      VmExit exit = vm.awaitExit(Duration.ZERO);
      assertThat(exit)
          .isInstanceOfSatisfying(
              VmExit.Crashed.class,
              crashed ->
                  assertThat(crashed.reason())
                      .contains("the mapped file " + file, "no room left")
                      .doesNotContain("InternalError"));
    }
  }

  @Test
  void anAccessOfTheHostFailsWithTheNameOfWhatFailed() throws Exception {
    byte[] bytes = new byte[8];
    List<Consumer<GuestMemory>> accesses =
        List.of(
            memory -> memory.readByte(ADDRESS),
            memory -> memory.readShort(ADDRESS),
            memory -> memory.readInt(ADDRESS),
            memory -> memory.readLong(ADDRESS),
            memory -> memory.read(ADDRESS, bytes, 0, 8),
            memory -> memory.writeByte(ADDRESS, 1),
            memory -> memory.writeShort(ADDRESS, 1),
            memory -> memory.writeInt(ADDRESS, 1),
            memory -> memory.writeLong(ADDRESS, 1),
            memory -> memory.write(ADDRESS, bytes, 0, 8));
    // In compiled code the JVM reports a fault late.
    try (Vm healthy = machines.create(ClockMode.VIRTUAL)) {
      for (int i = 0; i < UNTIL_COMPILED; i++) {
        accesses.forEach(access -> access.accept(healthy.memory()));
      }
    }
    Path file = directory.resolve("cut.vmm");
    try (Vm vm = ofACutFile(file)) {
      for (Consumer<GuestMemory> access : accesses) {
        assertThatThrownBy(() -> access.accept(vm.memory()))
            .isInstanceOf(HostMemoryException.class)
            .hasMessageContaining("the mapped file " + file);
      }
    }
  }
}
