package io.vmm4j.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.HostMemoryException;
import io.vmm4j.api.VmException;
import io.vmm4j.api.backend.MemoryFaultException;
import io.vmm4j.engine.machine.snapshot.ImageMemory;
import io.vmm4j.snapshot.MachineDescription;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who fits into the host's file systems beside those who have not used all of theirs yet. */
class HostRoomTest {
  private static final long MIB = 1 << 20;
  private static final long RAM = 8 * MIB;

  /** A file system whose room the test decides. */
  private static final class Small implements HostRoom.Volume {
    private final String name;
    private final boolean fillsHoles;
    private long usable;

    Small(String name, long usable, boolean fillsHoles) {
      this.name = name;
      this.usable = usable;
      this.fillsHoles = fillsHoles;
    }

    @Override
    public long usableBytes() {
      return usable;
    }

    @Override
    public boolean fillsHoles() {
      return fillsHoles;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  @TempDir private Path directory;

  private final Small memory = new Small("/dev/shm (tmpfs)", 20 * MIB, true);
  private final Small disk = new Small("/ (/dev/vda)", 5 * MIB, false);
  private final Map<Path, HostRoom.Volume> volumes = new HashMap<>();
  private HostRoom host = HostRoom.ofThisHost();

  @BeforeEach
  void twoDirectories() throws Exception {
    Path first = Files.createDirectory(directory.resolve("shm"));
    Path second = Files.createDirectory(directory.resolve("tmp"));
    volumes.put(first, memory);
    volumes.put(second, disk);
    host = new HostRoom(List.of(first, second), volumes::get);
  }

  @Test
  void machinesThatFitEachButNotTogetherAreRefusedByTheNamesOfTheFileSystems() {
    try (BackingFile first = host.create(2 * RAM, 12 * MIB)) {
      assertThat(first.volume()).isSameAs(memory);

      assertThatThrownBy(() -> host.create(2 * RAM, 12 * MIB))
          .isInstanceOf(VmException.class)
          .hasMessage(
              "no room for 12M of memory: tried /dev/shm (tmpfs), which has 20M free, 12M of it"
                  + " promised to other machines; / (/dev/vda), which has 5M free");
      try (BackingFile small = host.create(RAM, 4 * MIB);
          BackingFile smaller = host.create(RAM, 5 * MIB)) {
        assertThat(small.volume()).isSameAs(memory);
        assertThat(smaller.volume()).as("where there is room").isSameAs(disk);
      }
    }
    assertThatCode(() -> host.create(2 * RAM, 20 * MIB).close()).doesNotThrowAnyException();
  }

  @Test
  void whatAMachineHasWrittenIsNotCountedTwice() {
    MachineMemory first = MachineMemory.allocate(host, RAM, 0);
    try {
      // when: it has written half of its memory, which the file system has given up
      first.dirty().mark(0, RAM / 4);
      first.harvest();
      first.dirty().mark(RAM / 8, RAM / 8 + RAM / 4);
      memory.usable -= RAM / 2;

      // then: the other half is promised
      assertThatThrownBy(() -> host.create(RAM, 20 * MIB - RAM + 4096))
          .hasMessageContaining("/dev/shm (tmpfs), which has 16M free, 4M of it promised");
      assertThatCode(() -> host.create(RAM, 20 * MIB - RAM).close()).doesNotThrowAnyException();
    } finally {
      first.close();
    }
  }

  @Test
  void deviceMemoryIsKeptRoomForToo() {
    MachineMemory first = MachineMemory.allocate(host, RAM, 0);
    MachineMemory second = MachineMemory.allocate(host, RAM, 0);
    try {
      first.allocateDeviceMemory("device:a/b", 3 * MIB, false);
      assertThatThrownBy(() -> second.allocateDeviceMemory("device:a/b", 2 * MIB, false))
          .isInstanceOf(VmException.class)
          .hasMessage(
              "no room for the 2M of device memory: it is in /dev/shm (tmpfs), which has 20M free,"
                  + " 19M of it promised to other machines");
      second.allocateDeviceMemory("device:a/b", MIB, false);
    } finally {
      first.close();
      second.close();
    }
  }

  @Test
  void sparseMemoryIsKeptRoomForAsItIsAskedFor() {
    MachineMemory first = MachineMemory.allocate(host, RAM, 1024 * MIB);
    MachineMemory second = MachineMemory.allocate(host, RAM, 0);
    try {
      first.allocateDeviceMemory("device:disk/overlay", 1024 * MIB, true);
      first.keepRoom(3 * MIB);
      assertThatThrownBy(() -> second.keepRoom(2 * MIB))
          .isInstanceOf(VmException.class)
          .hasMessageContaining("no room for the 2M of device memory: it is in /dev/shm (tmpfs)");
      second.keepRoom(MIB);
      assertThatThrownBy(() -> second.allocateDeviceMemory("device:a/b", 1024 * MIB, true))
          .hasMessageContaining("1G of device memory exceed what is left of 512M");
      assertThatThrownBy(() -> first.allocateDeviceMemory("device:a/b", 513 * MIB, false))
          .as("memory that is not sparse has a limit of its own")
          .hasMessageContaining("513M of device memory exceed what is left of 512M");
    } finally {
      first.close();
      second.close();
    }
  }

  @Test
  void sparseMemoryOfASnapshotIsKeptRoomForAsItIsRead() {
    String overlay = MachineDescription.deviceRegion("disk", "overlay.sparse");
    ImageMemory image =
        ImageMemory.create(
            host,
            List.of(
                new MachineDescription.Region(MachineDescription.RAM, RAM),
                new MachineDescription.Region(overlay, 1024 * MIB)));
    try {
      image.filling(MachineDescription.RAM, RAM);
      memory.usable -= RAM; // which is written
      image.filling(overlay, 8 * MIB);
      memory.usable -= 8 * MIB;
      assertThatThrownBy(() -> image.filling(overlay, 20 * MIB))
          .isInstanceOf(VmException.class)
          .hasMessageContaining("no room for the 20M of a snapshot's memory: it is in /dev/shm");
    } finally {
      image.release();
    }
  }

  @Test
  void holesTakeRoomOnlyWhereALookFillsThem() {
    try (BackingFile first = host.create(RAM, 0);
        BackingFile second = host.create(RAM, 0)) {
      first.keepRoomForHoles(15 * MIB, "zeros");
      assertThatThrownBy(() -> second.keepRoomForHoles(6 * MIB, "zeros"))
          .hasMessageContaining("no room for the 6M of zeros: it is in /dev/shm (tmpfs)");
      first.giveBackRoom();
      second.keepRoomForHoles(6 * MIB, "zeros");
    }
    memory.usable = 0;
    try (BackingFile onDisk = host.create(RAM, MIB)) {
      onDisk.keepRoomForHoles(100 * MIB, "zeros");
      assertThat(onDisk.outstanding()).isEqualTo(MIB);
    }
  }

  @Test
  void aFaultNamesTheFileSystemAndOtherErrorsStayWhatTheyAre() {
    MachineMemory first = MachineMemory.allocate(host, RAM, 0);
    try {
      InternalError fault =
          new InternalError("a fault occurred in an unsafe memory access operation");
      assertThat(first.explain(fault))
          .isInstanceOf(HostMemoryException.class)
          .hasMessage("the host has no room left for the machine's memory in /dev/shm (tmpfs)")
          .hasCause(fault);
      Throwable ofKvm = new MemoryFaultException("KVM_RUN failed", fault);
      assertThat(first.explain(ofKvm)).hasMessageContaining("/dev/shm (tmpfs)").hasCause(ofKvm);
      Throwable other = new InternalError("another");
      assertThat(first.explain(other)).isSameAs(other);
      Throwable missing = new IllegalStateException();
      assertThat(first.explain(missing)).isSameAs(missing);
    } finally {
      first.close();
    }
  }
}
