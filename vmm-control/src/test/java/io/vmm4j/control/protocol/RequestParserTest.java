package io.vmm4j.control.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestParserTest {
  private static final int LINE_BYTES = 1 << 16;
  private static final int DUMP_BYTES = 4096;
  private static final RequestId NONE = new RequestId.Absent();

  private final RequestParser parser = new RequestParser(LINE_BYTES, DUMP_BYTES);

  private Request.Line parse(String line) {
    return parser.parse(line.getBytes(StandardCharsets.UTF_8));
  }

  private Request request(String line) {
    assertThat(parse(line)).isInstanceOf(Request.Line.Good.class);
    return ((Request.Line.Good) parse(line)).request();
  }

  private Request.Line.Bad fault(String line) {
    assertThat(parse(line)).isInstanceOf(Request.Line.Bad.class);
    return (Request.Line.Bad) parse(line);
  }

  @Test
  void everyCommandIsRead() {
    assertThat(request("{\"command\":\"status\"}")).isEqualTo(new Request.Status());
    assertThat(request(" { \"command\" : \"pause\" } \r")).isEqualTo(new Request.Pause());
    assertThat(request("{\"command\":\"resume\"}")).isEqualTo(new Request.Resume());
    assertThat(request("{\"command\":\"poweroff\"}")).isEqualTo(new Request.PowerOff());
    assertThat(request("{\"command\":\"stop\"}")).isEqualTo(new Request.Stop());
    assertThat(request("{\"command\":\"snapshot\",\"file\":\"/a/./b\"}"))
        .isEqualTo(new Request.SnapshotToFile(Path.of("/a/b"), false, false));
    assertThat(request("{\"suspend\":true,\"file\":\"/a\",\"command\":\"snapshot\"}"))
        .isEqualTo(new Request.SnapshotToFile(Path.of("/a"), true, false));
    assertThat(request("{\"command\":\"snapshot\",\"stream\":true}"))
        .isEqualTo(new Request.SnapshotToClient(false));
    assertThat(request("{\"command\":\"snapshot\",\"live\":true,\"file\":\"/a\"}"))
        .isEqualTo(new Request.SnapshotToFile(Path.of("/a"), false, true));
    assertThat(request("{\"command\":\"snapshot\",\"stream\":true,\"live\":true}"))
        .isEqualTo(new Request.SnapshotToClient(true));
    assertThat(request("{\"command\":\"restore\",\"file\":\"/a\"}"))
        .isEqualTo(new Request.Restore(Path.of("/a")));
    assertThat(request("{\"command\":\"console\"}")).isEqualTo(new Request.Console("com1"));
    assertThat(request("{\"command\":\"console\",\"device\":\"com2\"}"))
        .isEqualTo(new Request.Console("com2"));
    assertThat(request("{\"command\":\"dump\"}")).isEqualTo(new Request.DumpRegisters());
    assertThat(request("{\"command\":\"dump\",\"address\":\"0xFFFFFFFFFFFFFFFF\",\"length\":4096}"))
        .isEqualTo(new Request.DumpMemory(-1, 4096));
  }

  @Test
  void theIdIsFoundWhereverItStandsAndWhateverElseIsWrong() {
    assertThat(parse("{\"command\":\"status\",\"id\":-9223372036854775808}").id())
        .isEqualTo(new RequestId.Number(Long.MIN_VALUE));
    assertThat(parse("{\"command\":\"fly\",\"id\":\"x\"}").id()).isEqualTo(new RequestId.Text("x"));
    assertThat(parse("{\"id\":1}").id()).isEqualTo(new RequestId.Number(1));
    assertThat(parse("{\"id\":1").id()).isEqualTo(NONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '~',
      textBlock =
          """
          ~~                                                     ! MALFORMED ! not a JSON object
          status                                                 ! MALFORMED ! not JSON
          "status"                                               ! MALFORMED ! not a JSON object
          []                                                     ! MALFORMED ! not a JSON object
          {                                                      ! MALFORMED ! not JSON
          {"command":"status"}{}                                 ! MALFORMED ! more than one
          {"command":"status"},                                  ! MALFORMED ! not JSON
          {"command":"status","command":"stop"}                  ! MALFORMED ! not JSON
          {"command":"status","x":123456789012345678901}         ! MALFORMED ! more than 20 digits
          {}                                                     ! MISSING_FIELD ! 'command'
          {"command":1}                                          ! BAD_FIELD ! 'command': a text
          {"command":null}                                       ! BAD_FIELD ! 'command': a text
          {"command":"STATUS"}                                   ! UNKNOWN_COMMAND ! 'STATUS'; there are status
          {"command":"status","file":"/x"}                       ! UNKNOWN_FIELD ! 'status' has no field 'file'
          {"command":"status","id":1.5}                          ! BAD_FIELD ! 'id'
          {"command":"status","id":[1]}                          ! BAD_FIELD ! 'id'
          {"command":"status","id":9223372036854775808}          ! BAD_FIELD ! 'id'
          {"command":"snapshot"}                                 ! MISSING_FIELD ! 'file'
          {"command":"snapshot","file":"a"}                      ! BAD_FIELD ! an absolute path
          {"command":"snapshot","file":""}                       ! BAD_FIELD ! an absolute path
          {"command":"snapshot","file":"/a\\u0000"}              ! BAD_FIELD ! is no path: Nul character
          {"command":"snapshot","file":"/a","suspend":"yes"}     ! BAD_FIELD ! 'suspend': true or false
          {"command":"snapshot","file":"/a","stream":true}       ! UNKNOWN_FIELD ! 'file'
          {"command":"snapshot","stream":true,"suspend":true}    ! BAD_FIELD ! durable
          {"command":"restore"}                                  ! MISSING_FIELD ! 'file'
          {"command":"dump","address":1}                         ! MISSING_FIELD ! 'length'
          {"command":"dump","length":1}                          ! MISSING_FIELD ! 'address'
          {"command":"dump","address":-1,"length":1}             ! BAD_FIELD ! 'address': a number from 0
          {"command":"dump","address":"1","length":1}            ! BAD_FIELD ! 'address': a number, or
          {"command":"dump","address":1,"length":0}              ! BAD_FIELD ! from 1 to 4096
          {"command":"dump","address":1,"length":4097}           ! BAD_FIELD ! from 1 to 4096
          {"command":"dump","address":1e3,"length":1}            ! BAD_FIELD ! 'address'
          {"command":"disk-export","file":"/a"}                  ! MISSING_FIELD ! 'device'
          {"command":"disk-export","device":"d"}                 ! MISSING_FIELD ! 'file'
          {"command":"disk-export","device":"d","file":"a"}      ! BAD_FIELD ! an absolute path
          {"command":"disk-export","device":"d","file":"/a","format":"vmdk"} ! BAD_FIELD ! none of raw, qcow2
          """)
  void whatIsWrongIsNamed(String line, ErrorType type, String message) {
    Request.Line.Bad bad = fault(line);

    assertThat(bad.type()).isEqualTo(type);
    assertThat(bad.message()).contains(message);
  }

  @Test
  void nestingIsBounded() {
    String deep = "[".repeat(20_000);
    assertThat(fault("{\"command\":\"status\",\"x\":" + deep).type())
        .isEqualTo(ErrorType.MALFORMED);
    assertThat(fault(deep).type()).isEqualTo(ErrorType.MALFORMED);
    assertThat(fault("{\"a\":".repeat(10_000)).message()).contains("nests deeper than 16");
  }

  @Test
  void fieldsAreBounded() {
    StringBuilder line = new StringBuilder("{\"command\":\"status\"");
    for (int i = 0; i < RequestParser.MAX_FIELDS; i++) {
      line.append(",\"f").append(i).append("\":0");
    }
    assertThat(fault(line + "}").message()).contains("more than 32 fields");
  }

  @Test
  void whatAClientSaysIsQuotedShortAndWithoutControlCharacters() {
    Request.Line.Bad bad = fault("{\"command\":\"\\u001b[2J" + "x".repeat(1000) + "\"}");

    assertThat(bad.message()).contains("no command '?[2Jxxx").contains("…'").hasSizeLessThan(200);
  }

  @Test
  void bytesThatAreNotUtf8AreMalformed() {
    byte[] utf16 = "{\"command\":\"status\"}".getBytes(StandardCharsets.UTF_16LE);
    assertThat(parser.parse(utf16)).isInstanceOf(Request.Line.Bad.class);
    assertThat(((Request.Line.Bad) parser.parse(new byte[] {'{', (byte) 0xFF})).message())
        .contains("not UTF-8");
  }

  @Test
  void noBytesMakeItThrow() {
    Random random = new Random(8);
    String[] seeds = {
      "{\"id\":12,\"command\":\"snapshot\",\"file\":\"/tmp/a.vmm\",\"suspend\":true}",
      "{\"command\":\"dump\",\"address\":\"0x1000\",\"length\":64}",
      "{\"id\":\"q\",\"command\":\"console\",\"device\":\"com1\"}"
    };
    int good = 0;
    for (int i = 0; i < 50_000; i++) {
      byte[] line = seeds[i % seeds.length].getBytes(StandardCharsets.UTF_8);
      for (int n = random.nextInt(4); n > 0; n--) {
        line[random.nextInt(line.length)] = (byte) random.nextInt(256);
      }
      byte[] part =
          java.util.Arrays.copyOf(line, line.length - random.nextInt(2) * random.nextInt(9));
      switch (parser.parse(part)) {
        case Request.Line.Good g -> good++;
        case Request.Line.Bad bad -> assertThat(bad.message()).isNotBlank();
      }
    }
    assertThat(good).as("lines that are still good").isBetween(5_000, 45_000);
  }
}
