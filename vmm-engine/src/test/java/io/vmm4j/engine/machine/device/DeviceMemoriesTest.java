package io.vmm4j.engine.machine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.AddressClaim;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceMemoryMapping;
import io.vmm4j.api.device.GuestAccess;
import io.vmm4j.api.device.MmioHandler;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.engine.machine.bus.Claimant;
import io.vmm4j.engine.machine.bus.MmioBus;
import io.vmm4j.engine.memory.HostRoom;
import io.vmm4j.engine.memory.MachineMemory;
import io.vmm4j.engine.memory.MappedGuestMemory;
import io.vmm4j.engine.memory.MemoryRange;
import io.vmm4j.engine.memory.PhysicalMemoryMap;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DeviceMemoriesTest {
  private static final long RAM = 1 << 20;
  private static final long HOME = 0xE000_0000L;

  private final List<String> written = new ArrayList<>();
  private final List<String> accesses = new ArrayList<>();
  private final MachineMemory memory = MachineMemory.allocate(HostRoom.ofThisHost(), RAM, 0);
  private final PhysicalMemoryMap map = new PhysicalMemoryMap();
  private final MappedGuestMemory.WriteListener listener =
      (offset, length) -> written.add(offset + "+" + length);
  private final MappedGuestMemory guest = new MappedGuestMemory(map, memory, listener);
  private final DeviceMemories memories =
      new DeviceMemories(
          new ReentrantLock(),
          memory,
          map,
          listener,
          action -> action.get(),
          (path, during, cause) -> {});
  private final MmioBus mmio = new MmioBus(map, guest, (path, during, cause) -> {});

  @BeforeEach
  void addRam() {
    map.add(MemoryRange.ram(0, RAM, 0));
  }

  @AfterEach
  void close() {
    memory.close();
  }

  private DeviceMemory rom() {
    return memories.get("rom0", 1, "bootrom", MemorySize.kibibytes(8));
  }

  @Test
  void theGuestSeesWhatTheDeviceOwnsWhereverItIsMapped() {
    DeviceMemory rom = rom();
    rom.writableView().set(ValueLayout.JAVA_BYTE, 4097, (byte) 0x5A);
    DeviceMemoryMapping mapping = rom.map(HOME, GuestAccess.READ_WRITE);
    assertThat(guest.readByte(HOME + 4097)).isEqualTo(0x5A);
    mapping.remap(HOME + 0x10000, GuestAccess.READ_WRITE);
    assertThat(guest.contains(HOME, 1)).isFalse();
    guest.writeByte(HOME + 0x10000 + 4097, 0xA5);
    mapping.remap(HOME, GuestAccess.OFF);
    assertThat(guest.contains(HOME, 1)).isFalse();
    assertThat(rom.view().get(ValueLayout.JAVA_BYTE, 4097)).isEqualTo((byte) 0xA5);
  }

  @Test
  void readOnlyMemoryIsReadAndNotWritten() {
    DeviceMemory rom = rom();
    rom.map(HOME, GuestAccess.READ_ONLY);
    rom.write(4, new byte[] {1, 2});
    assertThat(written).containsExactly((RAM + 4) + "+2");
    assertThat(guest.readInt(HOME + 4)).isEqualTo(0x0201);
    assertThat(map.locate(HOME).writable()).isFalse();
    assertThatThrownBy(() -> guest.writeByte(HOME, 1)).isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void aMappingUnderRamIsSeenWhereThereIsNoneAndNobodyIsRefused() {
    DeviceMemoryMapping mapping = rom().map(RAM - 4096, GuestAccess.READ_WRITE);
    guest.writeInt(RAM - 4096, 1);
    guest.writeInt(RAM, 2);
    assertThat(mapping.isSeen()).isFalse();
    assertThat(guest.readInt(RAM - 4096)).isEqualTo(1);
    mapping.remap(HOME, GuestAccess.READ_WRITE);
    assertThat(mapping.isSeen()).isTrue();
    assertThat(guest.readInt(HOME)).isZero();
    assertThat(guest.readInt(HOME + 4096)).isEqualTo(2);
    mapping.remap(PhysicalMemoryMap.END - 4096, GuestAccess.READ_WRITE);
    assertThat(mapping.isSeen()).isFalse();
    assertThat(guest.contains(HOME, 1)).isFalse();
  }

  @Test
  void oneMemoryMayBeMappedInPartsAndTwice() {
    DeviceMemory rom = rom();
    rom.map(HOME, GuestAccess.READ_ONLY);
    rom.map("alias", 4096, 4096, RAM, GuestAccess.READ_WRITE);
    guest.writeInt(RAM, 0x1234);
    assertThat(guest.readInt(HOME + 4096)).isEqualTo(0x1234);
    assertThat(rom.map("third", 0, 4096, HOME, GuestAccess.READ_ONLY).isSeen()).isFalse();
    assertThat(memories.find("rom0", "bootrom").orElseThrow().mappings()).hasSize(3);
  }

  @Test
  void accessesCrossFromRamIntoDeviceMemory() {
    // Otherwise the two would lie side by side in the segment too, and be one range.
    memories.get("other", 3, "padding", MemorySize.kibibytes(4));
    rom().map(RAM, GuestAccess.READ_WRITE);
    guest.writeLong(RAM - 3, 0x0807060504030201L);
    assertThat(guest.readLong(RAM - 3)).isEqualTo(0x0807060504030201L);
    assertThat(guest.read(RAM - 3, 8)).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    assertThat(written).containsExactly((RAM - 3) + "+3", (RAM + 4096) + "+5");
    assertThatThrownBy(() -> guest.read(RAM + 8190, 4)).isInstanceOf(GuestMemoryException.class);
  }

  @Test
  void aNameHasOneSizeAndTheAreaAnEnd() {
    assertThat(rom()).isSameAs(rom());
    assertThatThrownBy(() -> memories.get("rom0", 1, "bootrom", MemorySize.kibibytes(4)))
        .isInstanceOf(DeviceException.class)
        .hasMessage("rom0: device memory 'bootrom' has 8K, not 4K");
    assertThatThrownBy(() -> memories.get("vga", 2, "framebuffer", MemorySize.gibibytes(1)))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("512M");
  }

  private final MmioHandler handler =
      new MmioHandler() {
        @Override
        public long read(long offset, int size) {
          accesses.add("r%d@%d".formatted(size, offset));
          return -1L << 8 | offset;
        }

        @Override
        public void write(long offset, int size, long value) {
          accesses.add("w%d@%d=%x".formatted(size, offset, value));
        }
      };

  @Test
  void aWindowSplitsWideAccesses() {
    mmio.claim(new Claimant("dev", 0), HOME + 0x1000, 16, AccessWidth.DWORD, handler);
    mmio.write(HOME + 0x1000, 8, 0x2222_2222_1111_1111L);
    assertThat(mmio.read(HOME + 0x100C, 8)).isEqualTo(0xFFFF_FFFF_FFFF_FF0CL);
    assertThat(accesses).containsExactly("w4@0=11111111", "w4@4=22222222", "r4@12");
  }

  @Test
  void besideAWindowThatCoversAPartOfAPageTheMemoryIsStillThere() {
    rom().map(HOME, GuestAccess.READ_WRITE);
    guest.writeInt(HOME, 0x4433_2211);
    AddressClaim window = mmio.claim(new Claimant("dev", 0), 16, AccessWidth.DWORD, handler);
    window.moveTo(HOME + 4);
    assertThat(map.locate(HOME).isMemory()).isFalse();
    assertThat(map.locate(HOME + 4096).isMemory()).isTrue();
    assertThat(mmio.read(HOME, 4)).isEqualTo(0x4433_2211);
    assertThat(mmio.read(HOME + 2, 4)).isEqualTo(0xFF00_4433L);
    mmio.write(HOME + 0x14, 2, 0xBEEF);
    window.disable();
    assertThat(guest.readInt(HOME + 0x14)).isEqualTo(0xBEEF);
    assertThat(written).last().isEqualTo(RAM + 0x15 + "+1");
  }

  @Test
  void aWindowOfALaterDeviceIsSeenAgainWhenTheMemoryAboveItGoes() {
    AddressClaim window = mmio.claim(new Claimant("dev", 5), 16, AccessWidth.DWORD, handler);
    window.moveTo(HOME);
    DeviceMemoryMapping mapping = rom().map(HOME, GuestAccess.READ_WRITE);
    assertThat(window.isSeen()).isFalse();
    mmio.write(HOME, 4, 1);
    assertThat(accesses).isEmpty();
    mapping.remap(HOME, GuestAccess.OFF);
    assertThat(window.isSeen()).isTrue();
    mmio.write(HOME, 4, 1);
    assertThat(accesses).containsExactly("w4@0=1");
  }

  @Test
  void aPlaceThatTheBoardFixesIsFree() {
    mmio.claim(new Claimant("dev", 0), HOME, 16, AccessWidth.DWORD, handler);
    assertThatThrownBy(
            () -> mmio.claim(new Claimant("other", 1), HOME + 8, 16, AccessWidth.DWORD, handler))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("other: ")
        .hasMessageContaining("window of dev");
    assertThatThrownBy(
            () -> mmio.claim(new Claimant("other", 2), RAM - 8, 16, AccessWidth.DWORD, handler))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("RAM");
  }

  @Test
  void storesToMemoryThatIsReadDirectlyAreTrappedAsOfAFlash() {
    mmio.onReadOnlyStore(memories::store);
    DeviceMemory flash = rom();
    flash.write(0, new byte[] {1, 2, 3, 4});
    DeviceMemoryMapping mapping = flash.map("upper", 4096, 4096, HOME, GuestAccess.READ_ONLY);
    mmio.write(HOME, 4, 0xFF);
    mapping.onStore(
        (offset, size, value) -> accesses.add("w%d@%d=%x".formatted(size, offset, value)));
    mmio.write(HOME + 0x10, 2, 0x1_2233);
    mmio.write(HOME + 0xFFE, 4, 0x4433_2211);
    assertThat(accesses).containsExactly("w2@4112=2233", "w2@8190=2211");
    assertThat(map.locate(HOME).isMemory()).as("loads go straight there").isTrue();
    assertThat(guest.readInt(HOME)).isZero();
    mapping.remap(HOME + 0x1_0000, GuestAccess.READ_ONLY);
    mmio.write(HOME + 0x1_0000, 1, 9);
    assertThat(accesses).last().isEqualTo("w1@4096=9");
    mapping.remap(HOME, GuestAccess.READ_WRITE);
    mmio.write(HOME, 1, 9);
    assertThat(accesses).hasSize(3);
  }
}
