package io.vmm4j.devices.bootrom;

import io.vmm4j.api.DeviceException;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceMemory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.GuestAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Firmware: an image that ends at 4 GiB, so that the processor's reset vector (0xFFFFFFF0) lies in
 * its last 16 bytes, and whose last 128 KiB, or all if it is smaller, are also seen under 1 MiB. An
 * image that does not fill its last page is padded in front.
 *
 * <p>With {@link BootRomConfig#shadow} a writable copy of the last 256 KiB takes the place of the
 * alias: for firmware that would have the chipset shadow it, as there is no such chipset here.
 */
final class BootRom implements DeviceModel<BootRomState> {
  static final int PAGE = 4096;
  static final long MOST_BYTES = 16L << 20;

  private static final long END = 1L << 32;
  private static final long ALIAS_END = 1L << 20;
  private static final long MOST_ALIAS_BYTES = 128L << 10;
  private static final long MOST_SHADOW_BYTES = 256L << 10;

  private final DeviceMemory rom;
  private final Optional<DeviceMemory> shadow;

  BootRom(BootRomConfig config, DeviceContext machine) {
    if (machine.restoring()) {
      // Size and contents come from the snapshot: the file may be gone.
      rom = restored(machine, "bootrom");
      shadow = config.shadow() ? Optional.of(restored(machine, "shadow")) : Optional.empty();
      return;
    }
    byte[] image = read(config, machine.path());
    int bytes = (image.length + PAGE - 1) / PAGE * PAGE;
    rom = machine.deviceMemory("bootrom", MemorySize.bytes(bytes));
    rom.write(bytes - image.length, image);
    shadow = config.shadow() ? Optional.of(shadow(machine, image, bytes)) : Optional.empty();
  }

  private static DeviceMemory restored(DeviceContext machine, String name) {
    return machine
        .restoredMemory(name)
        .orElseThrow(
            () -> new DeviceException(machine.path(), "the snapshot has no memory '" + name + "'"));
  }

  private static DeviceMemory shadow(DeviceContext machine, byte[] image, long romBytes) {
    long bytes = Math.min(romBytes, MOST_SHADOW_BYTES);
    DeviceMemory copy = machine.deviceMemory("shadow", MemorySize.bytes(bytes));
    int length = (int) Math.min(image.length, bytes);
    copy.write(bytes - length, Arrays.copyOfRange(image, image.length - length, image.length));
    return copy;
  }

  private static byte[] read(BootRomConfig config, String path) {
    if (config.image().isBlank()) {
      throw new DeviceException(path, "'image' must name the file of the boot ROM");
    }
    try {
      Path file = Path.of(config.image());
      long bytes = Files.size(file);
      if (bytes < 1 || bytes > MOST_BYTES) {
        throw new DeviceException(
            path, "boot ROM '%s' has %d bytes, not 1 to %d".formatted(file, bytes, MOST_BYTES));
      }
      return Files.readAllBytes(file);
    } catch (IOException | InvalidPathException e) {
      throw new DeviceException(path, "cannot read the boot ROM: " + e, e);
    }
  }

  @Override
  public void reset() {
    map();
  }

  private void map() {
    long bytes = rom.size().bytes();
    rom.map("top", 0, bytes, END - bytes, GuestAccess.READ_ONLY);
    if (shadow.isPresent()) {
      DeviceMemory copy = shadow.get();
      long length = copy.size().bytes();
      copy.map("alias", 0, length, ALIAS_END - length, GuestAccess.READ_WRITE);
      return;
    }
    long alias = Math.min(bytes, MOST_ALIAS_BYTES);
    rom.map("alias", bytes - alias, alias, ALIAS_END - alias, GuestAccess.READ_ONLY);
  }

  @Override
  public BootRomState save() {
    return new BootRomState(rom.size().bytes());
  }

  @Override
  public void restore(BootRomState state) {
    long bytes = rom.size().bytes();
    if (state.bytes() != bytes) {
      throw new IllegalArgumentException(
          "bytes: %d, but the ROM has %d".formatted(state.bytes(), bytes));
    }
    map();
  }
}
