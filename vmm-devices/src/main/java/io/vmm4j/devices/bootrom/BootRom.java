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
import java.util.Objects;
import org.jspecify.annotations.Nullable;

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

  private final BootRomConfig config;
  private @Nullable DeviceContext context;
  private @Nullable DeviceMemory rom;
  private @Nullable DeviceMemory shadow;

  BootRom(BootRomConfig config) {
    this.config = config;
  }

  @Override
  public void attach(DeviceContext machine) {
    context = machine;
    if (machine.restoring()) {
      return; // Size and contents come from the snapshot: the file may be gone.
    }
    byte[] image = read(machine.path());
    int bytes = (image.length + PAGE - 1) / PAGE * PAGE;
    DeviceMemory made = machine.deviceMemory("bootrom", MemorySize.bytes(bytes));
    made.write(bytes - image.length, image);
    rom = made;
    if (config.shadow()) {
      DeviceMemory copy = shadow(machine, bytes);
      int length = (int) Math.min(image.length, copy.size().bytes());
      byte[] end = Arrays.copyOfRange(image, image.length - length, image.length);
      copy.write(copy.size().bytes() - length, end);
      shadow = copy;
    }
  }

  private static DeviceMemory shadow(DeviceContext machine, long romBytes) {
    long bytes = Math.min(romBytes, MOST_SHADOW_BYTES);
    return machine.deviceMemory("shadow", MemorySize.bytes(bytes));
  }

  private byte[] read(String path) {
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
    if (rom != null) {
      map(rom);
    }
  }

  private void map(DeviceMemory rom) {
    long bytes = rom.size().bytes();
    rom.map("top", 0, bytes, END - bytes, GuestAccess.READ_ONLY);
    if (shadow != null) {
      long length = shadow.size().bytes();
      shadow.map("alias", 0, length, ALIAS_END - length, GuestAccess.READ_WRITE);
      return;
    }
    long alias = Math.min(bytes, MOST_ALIAS_BYTES);
    rom.map("alias", bytes - alias, alias, ALIAS_END - alias, GuestAccess.READ_ONLY);
  }

  @Override
  public BootRomState save() {
    return new BootRomState(rom == null ? 0 : rom.size().bytes());
  }

  @Override
  public void restore(BootRomState state) {
    if (state.bytes() == 0) {
      return;
    }
    DeviceContext machine = Objects.requireNonNull(context);
    DeviceMemory restored = machine.deviceMemory("bootrom", MemorySize.bytes(state.bytes()));
    rom = restored;
    shadow = config.shadow() ? shadow(machine, state.bytes()) : null;
    map(restored);
  }
}
