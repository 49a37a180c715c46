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

  /**
   * The source is in {@code aliases.s}: calls a function by two addresses of the same memory, and
   * has an INT3 of its own.
   */
  public static final String ALIASES =
      "eb3cff0500060000c300000000000000ccff0508060000833d08060000647207"
          + "b02ae6f4f4ebfdb802000100ffd0b802004100ffd0ebd9ff0504060000cffa31"
          + "c08ed866c70600108300000066c706041083000000c70618203700c7061a2008"
          + "00c7061c20008ec7061e2001002e0f011eb0002e0f0116b6000f20e00c100f22"
          + "e066b8001000000f22d80f20c0660d010000800f22c066ea9e000100080066b8"
          + "10008ed88ed0bc00700000e977ffffff1f00002000001700bc00010000000000"
          + "00000000ffff0000009bcf00ffff00000093cf00";

  /**
   * The source is in {@code registers.s}: fills every register with a pattern in 64-bit mode, looks
   * at them for ever, and prints the letters A to P in turn; or ends by the debug exit port.
   */
  public static final String REGISTERS =
      "fa31c08ed88ec0bf0010b9001831c0f3ab66c70600100320000066c706002003"
          + "30000066c7060030830000002e0f0116660066b8200600000f22e066b8001000"
          + "000f22d866b9800000c066b8010900006631d20f3066b8330000800f22c066ea"
          + "d000010008005f00700001000f1f40000000000000000000ffff0000009baf00"
          + "ffff00000093cf00ffff000000f3cf00ffff000000f1cf000000000000000000"
          + "670000100089000000000000000000000f000020008200000000000000000000"
          + "ffff000000f5cf00000000000000000066b810008ed066b81b008ed866b82300"
          + "8ec066b810008ee066b853008ee866b830000f00d866b840000f00d048c7c400"
          + "7000000f011d22040000488d35bf0400008b0ee30e8b46048b56080f304883c6"
          + "0cebee48b8bc9a7856341200000f22d0b805000000440f22c048c7c011110000"
          + "0f23c048c7c0222200000f23c848b833333333ff7f00000f23d048c7c0444444"
          + "440f23d848b8f10fffff000000000f23f048c7c001040d000f23f8dbe3d92da3"
          + "030000d9ebd9e8d9ead9ecd9eed9edd9e00fae1590030000488d3597030000f3"
          + "0f6f06f30f6f4e01f30f6f5602f30f6f5e03f30f6f6604f30f6f6e05f30f6f76"
          + "06f30f6f7e07f3440f6f4608f3440f6f4e09f3440f6f560af3440f6f5e0bf344"
          + "0f6f660cf3440f6f6e0df3440f6f760ef3440f6f7e0fe835020000e802030000"
          + "480fae042500900000c7042500800000000000000f3189042508800000891425"
          + "0c80000048c7c4006f000048b8a7a6a5a4a3a2a10048bbb7b6b5b4b3b2b11048"
          + "b9c7c6c5c4c3c2c12048bad7d6d5d4d3d2d13048bee7e6e5e4e3e2e14048bff7"
          + "f6f5f4f3f2f15048bd070605040302016049b8171615141312117049b9272625"
          + "242322218049ba373635343332319049bb47464544434241a049bc5756555453"
          + "5251b049bd67666564636261c049be77767574737271d049bf87868584838281"
          + "e068d70c24009d90909090909090909090909090909090909090909090909090"
          + "909090909090909090909090909090909090909090909090909c505351525657"
          + "5541504151415241534154415541564157fcb0014881fc806e00000f850c0100"
          + "0048817c2478d70c24000f85fd00000031c9488d351f020000488b14ce483914"
          + "ccb0020f85e4000000ffc183f90f75e248c7c4006f0000480fae042500920000"
          + "b003488b1c2500900000488b14250092000048c1e31048c1e2104839d30f85aa"
          + "0000008b1c25189000003b1c25189200000f8596000000be20900000bf209200"
          + "00b930000000488b1e483b1f757f83c60883c708ffc975eee873000000be00a0"
          + "0000bf00a40000b980000000b004488b1e483b1f755783c60883c708ffc975ee"
          + "0f3148c1e22089c04809c2b005483b14250880000072364889142508800000ff"
          + "0425008000008b042500800000a93f0000000f8513feffffc1e806ffc883e00f"
          + "83c04166baf803eee9fefdffffe6f4f4bf00a40000b98000000031c0fc488907"
          + "83c708ffc975f6bf00a400008c1f8c47028c67048c6f068c57088c4f0a0f004f"
          + "0c0f00470e0f0147100f014f200f20c0488947300f20d0488947380f20d84889"
          + "47400f20e048894748440f20c0488947500f21c0488947580f21c8488947600f"
          + "21d0488947680f21d8488947700f21f0488947780f21f84889878000000081c7"
          + "88000000488d35050100008b0ee3100f32890789570483c7084883c60cebecb9"
          + "1b0000000f328907b9800000c00f328947080f02052b00000025fffff0ff8947"
          + "10c3be00a40000bf00a00000b980000000488b0648890783c60883c708ffc975"
          + "f0c3669008007f0ba5df0000ff0f00500000000000003a91f7085ce2661d84bb"
          + "2970d54ec317a86f9502dc48b13ee75a0c9361f82d0f1f0087868584838281e0"
          + "77767574737271d067666564636261c057565554535251b047464544434241a0"
          + "3736353433323190272625242322218017161514131211700706050403020160"
          + "f7f6f5f4f3f2f150e7e6e5e4e3e2e140d7d6d5d4d3d2d130c7c6c5c4c3c2c120"
          + "b7b6b5b4b3b2b110a7a6a5a4a3a2a10074010000330000000000000075010000"
          + "88776655ff7f000076010000ccbbaa99ffffffff770200000601070005010700"
          + "00020000060000400000000001020000000800e0ff0000005002000006060606"
          + "06060606ff020000060c000000000000810000c00000000008001300820000c0"
          + "67452381ffffffff830000c0efcdab89ffffffff840000c00077040000000000"
          + "000100c04433221166550000010100c0554433220080ffff020100c066554433"
          + "88770000030100c001efcdab00000000a001000001180000000000008b000000"
          + "34120000785600003b000000001000000000000000000000";

  /** The source is in {@code doorbells.s}: rings the bells of a {@code BellDevice}. */
  public static final String DOORBELLS =
      "fa31c08ed88ed0bc0070c7060001c5008c0e0201b0ffe621e6a166b91b000000"
          + "0f3280cc0c0f3066b90f0800006631d266b8ff0100000f30b800b08ec06631db"
          + "664326c706000001002666c7060400080000002666891e0000e84f002666c706"
          + "040007000000e84200baf00589d8efe83900f6c30f751fbaf8056631c066ef26"
          + "66891e00008cc03500018ec0660fb7c066c1e00466ef2666a10c006639c372a0"
          + "bafc056689d866eff4ebfdfa2666833e0800007504fbf4ebf2fb2666c7060800"
          + "00000000c366506651665266b90b0800006631c06631d20f30665a66596658cf";

  /** The source is in {@code levels.s}: ends the interrupts of a {@code LevelDevice}. */
  public static final String LEVELS =
      "fa31c08ed88ed0bc0070bbc000c7077f008c4f0283c30481fb000472f0b0ffe6"
          + "21e6a166b91b0000000f3280cc0c0f3066b90f0800006631d266b8ff0100000f"
          + "306631db6631ed6643bae0056689d866ef67668d041bfa6639c57304fbf4ebf1"
          + "bae40566ed6639e8750ebae80566ed6639c372d3b02aeb02b001e6f4f4ebfb66"
          + "5066516652664566b90b0800006631c06631d20f30665a66596658cf";

  /**
   * The source is in {@code oneshots.s}: waits for a one-shot timer again and again, and prints the
   * letters A to P in turn.
   */
  public static final String ONE_SHOTS =
      "fa31c08ed88ed0bc0070c70600018e008c0e0201b0ffe621e6a166b91b000000"
          + "0f3280cc0c0f306631d266b90f08000066b8ff0100000f3066b93e08000066b8"
          + "0b0000000f3066b93208000066b8400000000f306631db6631f6664666b93808"
          + "00006669c3393000006625ffff0f00660550c300006631d20f30fa6639f374da"
          + "f6c3017404fbf4ebf1fbf390ebec5589e5817e0286007503ff46025d666066b9"
          + "0b0800006631c06631d20f30666166436639f37719f6c307751350526689d866"
          + "c1e803240f0441baf803ee5a58cfb001e6f4f4";

  /**
   * The source is in {@code periods.s}: counts the ticks of a periodic timer, and prints the
   * letters A to P in turn.
   */
  public static final String PERIODS =
      "fa31c08ed88ed0bc0070c706000172008c0e0201b0ffe621e6a166b91b000000"
          + "0f3280cc0c0f306631d266b90f08000066b8ff0100000f3066b93e08000066b8"
          + "0b0000000f3066b93208000066b8400002000f306631db66b93808000066b840"
          + "420f000f30fbf6c3017403f4ebf8f390ebf4666066b90b0800006631c06631d2"
          + "0f3066616643f6c307751350526689d866c1e803240f0441baf803ee5a58cf";

  /** The source is in {@code sharedbell.s}: several processors ring a {@code SharedBell}. */
  public static final String SHARED_BELL =
      "fa31c08ed866b91b0000000f3288e380cc0c0f30f6c301741966b93008000066"
          + "31d266b800450c000f3066b810460c000f3066b9020800000f3267668d3c8500"
          + "000000b800b08ec06631db66436766899f000600002666891e0000f390676639"
          + "9f4006000075f4bad00566ed6639c372da66f0ff0680066685ff7512f390bad4"
          + "0566ed663906800675f2b02ae6f4f4ebfd";

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
