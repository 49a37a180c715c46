package io.vmm4j.engine.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.backend.CpuState;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.guests.GuestImages;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The unmodified Debian kernel, as a loader sees it. */
final class DebianKernelTest {
  @Test
  void isUnpackedToItsPreferredAddressWithItsInitrdAboveIt() {
    GuestImages images = GuestImages.required();
    int ram = 128 << 20;
    ArrayMemory memory = new ArrayMemory(ram);
    LinuxBoot source =
        LinuxBoot.kernel(images.kernel()).initrd(images.initrd()).commandLine("console=ttyS0");

    CpuState state =
        BootLoader.of(source).load(new BootTarget(memory, new BiosMemoryMap(ram), 0xE_0000));

    long params = state.gpr()[6];
    long preferred = memory.readLong(params + 0x258);
    long end = preferred + Integer.toUnsignedLong(memory.readInt(params + 0x260));
    assertThat(state.rip()).isEqualTo(preferred).isEqualTo(0x100_0000);
    assertThat(memory.readLong(state.rip())).as("code").isNotZero();
    assertThat((long) memory.readInt(params + 0x218)).as("ramdisk_image").isGreaterThan(end);
    assertThat(memory.read(memory.readInt(params + 0x218), 6))
        .as("a cpio archive")
        .isEqualTo("070701".getBytes(StandardCharsets.US_ASCII));
  }
}
