package io.vmm4j.gdb.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CommandTest {
  /** Packets as GDB sends them, and some that it would not. */
  private static final List<String> CORPUS =
      List.of(
          "?",
          "g",
          "G00112233",
          "p10",
          "P10=0011223344556677",
          "mffffffff81000000,40",
          "M1000,2:1234",
          "X1000,3:a}b",
          "X1000,0:",
          "c",
          "C05",
          "s",
          "S05;1000",
          "vCont?",
          "vCont;c",
          "vCont;s:1;c",
          "vCont;C05:2;s:1",
          "vCont;r1000,1010:1",
          "vCont",
          "vKill;1",
          "vMustReplyEmpty",
          "Z0,ffffffff81000000,1",
          "Z1,10,1;X1,00",
          "z2,1000,8",
          "Z9,1000,8",
          "Hg0",
          "Hc-1",
          "Hx1",
          "H",
          "T1",
          "D",
          "D;1",
          "k",
          "qSupported:multiprocess+;swbreak+;hwbreak-;xmlRegisters=i386;x",
          "qXfer:features:read:target.xml:0,ffb",
          "qXfer:features:read:target.xml:0",
          "qXfer:memory-map:read::0,ffb",
          "qfThreadInfo",
          "qsThreadInfo",
          "qThreadExtraInfo,1",
          "qC",
          "qAttached",
          "qSymbol::",
          "QStartNoAckMode",
          "qRcmd,68656c70",
          "qRcmd,6",
          "!");

  private static Command parse(String text) {
    return Command.parse(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void readsWhatGdbSends() {
    assertThat(parse("?")).isEqualTo(new Command.WhyStopped());
    assertThat(parse("p1f")).isEqualTo(new Command.ReadRegister(0x1f));
    assertThat(parse("mffffffff81000000,40"))
        .isEqualTo(new Command.ReadMemory(0xffffffff81000000L, 0x40));
    assertThat(parse("c")).isEqualTo(new Command.Continue());
    assertThat(parse("S05")).isEqualTo(new Command.Step());
    assertThat(parse("vCont;c"))
        .isEqualTo(new Command.Resume(List.of(new Command.Resume.Action(false, Command.ALL))));
    assertThat(parse("vCont;S05:2;c:-1"))
        .isEqualTo(
            new Command.Resume(
                List.of(
                    new Command.Resume.Action(true, 2),
                    new Command.Resume.Action(false, Command.ALL))));
    assertThat(parse("Z2,1000,8")).isEqualTo(new Command.ChangeBreakpoint(true, 2, 0x1000, 8));
    assertThat(parse("z1,ff,1")).isEqualTo(new Command.ChangeBreakpoint(false, 1, 0xff, 1));
    assertThat(parse("Hc-1")).isEqualTo(new Command.SelectStepThread(Command.ALL));
    assertThat(parse("Hg1")).isEqualTo(new Command.SelectThread(1));
    assertThat(parse("qXfer:features:read:target.xml:10,ffb"))
        .isEqualTo(new Command.ReadFeatures("target.xml", 0x10, 0xffb));
    assertThat(parse("qRcmd,68656c70")).isEqualTo(new Command.Monitor("help"));
    assertThat(parse("qSupported:swbreak+;xmlRegisters=i386"))
        .isEqualTo(new Command.Supported(Map.of("swbreak", "+", "xmlRegisters", "i386")));
    assertThat(((Command.WriteMemory) parse("M1000,2:12ff")).bytes())
        .isEqualTo(new byte[] {0x12, -1});
    assertThat(((Command.WriteMemory) parse("X1000,3:a:b")).bytes()).asString().isEqualTo("a:b");
  }

  @Test
  void whatIsNotKnownIsAnsweredByNothing() {
    for (String text : List.of("", "!", "qSymbol::", "vMustReplyEmpty", "Z9,0,1", "c1000", "Hx1")) {
      assertThat(parse(text)).as(text).isEqualTo(new Command.Unknown());
    }
  }

  @Test
  void whatCannotBeReadIsAnError() {
    for (String text :
        List.of(
            "m1",
            "m1,ffffffff",
            "mx,1",
            "m11111111111111111,1",
            "M0,2:12",
            "M0",
            "P1",
            "Gabc",
            "H",
            "Hgx",
            "Z0,1",
            "vCont",
            "vCont;r1,2",
            "qRcmd,6")) {
      Command command = parse(text);
      assertThat(command).as(text).isInstanceOf(Command.Malformed.class);
    }
  }

  @Test
  void whateverComesGivesACommand() {
    Random random = new Random(20260101);
    for (int i = 0; i < 200_000; i++) {
      byte[] bytes =
          CORPUS.get(random.nextInt(CORPUS.size())).getBytes(StandardCharsets.ISO_8859_1);
      bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 3));
      for (int changes = random.nextInt(4); changes > 0 && bytes.length > 0; changes--) {
        bytes[random.nextInt(bytes.length)] =
            random.nextBoolean()
                ? (byte) random.nextInt(256)
                : (byte) ":;,=-0fF".charAt(random.nextInt(8));
      }
      assertThat(Command.parse(bytes)).isNotNull();
    }
  }
}
