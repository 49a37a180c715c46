package io.vmm4j.gdb;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.uart.UartConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/** Guests to debug: one that counts in a function, and Linux. */
final class Guest {
  /** Where it counts, two bytes. */
  static final int COUNT = 0x500;

  /** Where its code is; CS has this base, so that RIP is less by it. */
  static final int BASE = 0x10000;

  static final int NEXT = 0x09;
  static final int CALL = 0x0d;
  static final int FUNCTION = 0x12;
  static final int ADD = 0x16;

  /**
   * Counts, and calls a function each time, until there is something at 0x510.
   *
   * <pre>
   * 00       xor ax, ax
   * 02       mov ds, ax
   * 04       mov ss, ax
   * 06       mov sp, 0x7000
   * 09 next: inc word [0x500]
   * 0d       call function
   * 10       jmp next
   * 12 function:
   *          mov bx, [0x500]
   * 16       add cx, bx
   * 18       mov al, [0x510]
   * 1b       test al, al
   * 1d       jnz off
   * 1f       ret
   * 20 off:  out 0xF4, al
   *          hlt
   * </pre>
   */
  private static final String CODE =
      "31c0 8ed8 8ed0 bc0070 ff060005 e80200 ebf7 8b1e0005 01d9 a01005 84c0 7501 c3 e6f4 f4";

  private Guest() {}

  static VmSpec spec(Path directory) {
    return spec(directory, Backends.software());
  }

  static VmSpec spec(Path directory, BackendChoice backend) {
    Path image = directory.resolve("guest.bin");
    try {
      Files.write(image, HexFormat.of().parseHex(CODE.replace(" ", "")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return VmSpec.builder("guest")
        .backend(backend)
        .memory(MemorySize.mebibytes(2))
        .boot(new BootSource.FlatRealMode(image, BASE))
        .device("exit", DebugExitConfig.DEFAULT)
        .clock(ClockMode.REAL)
        .build();
  }

  /** Debian's Linux, whose root may know where the kernel's functions are. */
  static VmSpec linux() {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(128))
        .boot(
            LinuxBoot.kernel(images.kernel())
                .initrd(images.initrd())
                .commandLine("console=ttyS0 panic=-1 nokaslr"))
        .device("com1", UartConfig.DEFAULT)
        .build();
  }
}
