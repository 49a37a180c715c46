package io.vmm4j.engine.machine;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.devices.debugexit.DebugExitConfig;
import io.vmm4j.devices.uart.UartConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;

/** Small guests of our own, as machine code that begins in real mode, for every backend. */
public final class GuestPrograms {
  /**
   * Writes {@code hello, world} to COM1 and 42 to the debug exit port.
   *
   * <pre>
   *       mov si, msg
   *       mov dx, 0x3F8
   * next: lodsb
   *       test al, al
   *       jz done
   *       out dx, al
   *       jmp next
   * done: mov dx, 0xF4
   *       mov al, 42
   *       out dx, al
   * stop: hlt
   *       jmp stop
   * msg:  db "hello, world", 0
   * </pre>
   */
  public static final String HELLO =
      "be1800 baf803 2eac 84c0 7403 ee ebf7 baf400 b02a ee f4 ebfd"
          + " 68656c6c6f2c20776f726c64 00";

  /** The source is in {@code ticks.s}: the PIT interrupts a loop that halts now and then. */
  public static final String TICKS =
      "fa31c08ed88ed0bc0070c706200049008c0e2200b011e620b008e621b004"
          + "e621b001e621b0fee621b034e643b003e64030c0e640fbb990016601cb66"
          + "c1c30366311e0006e2f2f4ebec505266ff060406a00406240f0441baf803"
          + "eeb020e6205a58cf";

  /**
   * The source is in {@code ring.s}: a token goes round by IPIs, its holder writes its letter, the
   * next one executes what the holder has written into the code. Other IPIs of each kind now and
   * then, and a timer for each. Two of the vCPUs never halt.
   */
  public static final String RING =
      "fa31c08ed88ed066b91b0000000f326625000100006689c62e0f011635020f20"
          + "c00c010f22c0b908008ee124fe0f22c064668b1e200066c1eb1889d9c1e109bc"
          + "007001cc6466c706f000ff01000088d966b80000000166d3e06466a3d0006466"
          + "c706e0030b0000006466c7062003440002006689d86669c0e80300006605611e"
          + "00006466a380036685f67437b90500bf0001be2b022e8b0489058c4d0283c602"
          + "83c704e2f0c706080020028c0e0a006466c706000300450c006466c706000310"
          + "460c0066f0ff0600066685db751ef39066833e00060475f66466c70610030000"
          + "00016466c706000340400000fb80fb027303f4ebf76689d866f00fc106600666"
          + "c1c0036631066406f390ebe96660e8d2003a0604060f85c50066b80100000066"
          + "f00fc106040666406689c76631d8660306080666c1c00566a308062e893ee401"
          + "2ec606e5019088d80441baf803ee6689d966416683e10366c1e11866f7c70300"
          + "0000750a6466c70600034340040066f7c70700000075146466c7061003000000"
          + "0d6466c70600034148000066f7c70f00000075106466890e10036466c7060003"
          + "0044000066f7c71f00000075146466c70610030000000f6466c7060003424900"
          + "006466c706b000000000006466890e10036466c7060003404000006661cfb001"
          + "e6f4f4b00090c36766f0ff049d10060000eb226766f0ff049d30060000eb1667"
          + "66f0ff049d40060000eb0a6766f0ff049d500600006466c706b00000000000cf"
          + "6766f0ff049d20060000cf0c01e701f301ff010b020f003b0201000000000000"
          + "000000ffff0000e09200fe";

  /** {@link #RING} with timers of 4 ms instead of 7.8 us, which no hypervisor gives. */
  public static final String RING_WITH_SLOW_TIMERS = RING.replace("05611e0000", "0500093d00");

  /**
   * Starts vCPU 1, which has a triple fault.
   *
   * <pre>
   *       mov ecx, 0x1B       ; IA32_APIC_BASE
   *       rdmsr
   *       test ah, 1          ; the bootstrap processor's
   *       jz ap
   *       or ah, 0x0C         ; x2APIC
   *       wrmsr
   *       mov ecx, 0x830      ; interrupt command
   *       mov edx, 1
   *       mov eax, 0x4500     ; INIT
   *       wrmsr
   *       mov eax, 0x4610     ; start-up at page 0x10
   *       wrmsr
   * stop: hlt
   *       jmp stop
   * ap:   lidt [cs:none]
   *       int3
   * none: dd 0, 0
   * </pre>
   */
  public static final String TRIPLE_FAULT =
      "66b91b0000000f32f6c401742480cc0c0f3066b93008000066ba0100000066b8004500000f3066b8104600000f30f4ebfd2e660f011e3900cc000000000000";

  private GuestPrograms() {}

  /** A small PC that runs one of them. */
  public static VmSpec.Builder spec(Path directory, BackendChoice backend, String hex)
      throws IOException {
    Path image = directory.resolve("guest.bin");
    Files.write(image, HexFormat.of().parseHex(hex.replace(" ", "")));
    return VmSpec.builder("guest")
        .backend(backend)
        .memory(MemorySize.mebibytes(2))
        .boot(new BootSource.FlatRealMode(image, 0x10000))
        .device("com1", UartConfig.DEFAULT)
        .device("exit", DebugExitConfig.DEFAULT)
        .startTime(Instant.EPOCH)
        .randomSeed(1);
  }
}
