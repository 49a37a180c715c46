package io.vmm4j.control;

import io.vmm4j.api.Backends;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.devices.uart.UartConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/** Small guests on the software backend. */
final class Guests {
  /** Where {@link #COUNTER} counts, four bytes. */
  static final int COUNT = 0x500;

  /**
   * Says {@code >}, then counts for ever, sends back what COM1 receives, and switches off when the
   * power button is pressed.
   *
   * <pre>
   *       xor ax, ax
   *       mov ds, ax
   *       mov dx, 0x3F8
   *       mov al, '>'
   *       out dx, al
   * next: inc dword [0x500]
   *       mov dx, 0x600       ; PM1a status
   *       in ax, dx
   *       test ah, 1          ; PWRBTN_STS
   *       jnz off
   *       mov dx, 0x3FD       ; line status
   *       in al, dx
   *       test al, 1          ; data ready
   *       jz next
   *       mov dx, 0x3F8
   *       in al, dx
   *       out dx, al
   *       jmp next
   * off:  mov dx, 0x604       ; PM1a control
   *       mov ax, 0x2000      ; SLP_EN, SLP_TYP 0
   *       out dx, ax
   *       hlt
   * </pre>
   */
  static final String COUNTER =
      "31c0 8ed8 baf803 b03e ee 66ff060005 ba0006 ed f6c401 750f bafd03 ec a801 74ea"
          + " baf803 ec ee ebe3 ba0406 b80020 ef f4";

  /**
   * Writes to COM1 without end, and reads nothing.
   *
   * <pre>
   *       mov dx, 0x3F8
   *       mov al, 'x'
   * next: out dx, al
   *       jmp next
   * </pre>
   */
  static final String CHATTERBOX = "baf803 b078 ee ebfd";

  private Guests() {}

  /** A specification of a machine with a COM1 that runs the code. */
  static VmSpec.Builder spec(Path directory, String hex) {
    Path image = directory.resolve("guest.bin");
    try {
      Files.write(image, HexFormat.of().parseHex(hex.replace(" ", "")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return VmSpec.builder("guest")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(2))
        .boot(new BootSource.FlatRealMode(image, 0x10000))
        .device("com1", UartConfig.DEFAULT);
  }
}
