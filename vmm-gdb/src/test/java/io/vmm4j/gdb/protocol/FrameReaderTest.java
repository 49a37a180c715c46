package io.vmm4j.gdb.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameReaderTest {
  private static List<Frame> frames(byte[] bytes) {
    FrameReader reader = new FrameReader();
    List<Frame> frames = new ArrayList<>();
    for (byte b : bytes) {
      reader.accept(b).ifPresent(frames::add);
    }
    return frames;
  }

  private static List<Frame> frames(String text) {
    return frames(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String text(Frame frame) {
    assertThat(frame).isInstanceOf(Frame.Packet.class);
    return new String(((Frame.Packet) frame).payload(), StandardCharsets.ISO_8859_1);
  }

  @Test
  void takesPacketsWhoseChecksumIsRight() {
    assertThat(frames("+$g#67+$m0,4#fd").stream().map(FrameReaderTest::text))
        .containsExactly("g", "m0,4");
    assertThat(frames("$g#68")).containsExactly(new Frame.Damaged());
    assertThat(frames("$g#6x")).containsExactly(new Frame.Damaged());
    assertThat(frames("$#00").stream().map(FrameReaderTest::text)).containsExactly("");
  }

  @Test
  void hearsInterruptsAndRequestsToRepeatBetweenPackets() {
    assertThat(frames("\3-+")).containsExactly(new Frame.Interrupt(), new Frame.Repeat());
    // within a packet they are its bytes
    assertThat(text(frames("$\3-#30").getFirst())).isEqualTo("\3-");
  }

  @Test
  void skipsNothingBetweenPackets() {
    // given a line of HTTP, a packet behind another line's end, and bytes before a packet
    assertThat(frames("P")).containsExactly(new Frame.Foreign((byte) 'P'));
    assertThat(frames("$g#67\n")).endsWith(new Frame.Foreign((byte) '\n'));
    assertThat(frames("+\0$g#67").getFirst()).isEqualTo(new Frame.Foreign((byte) 0));
  }

  @Test
  void resolvesEscapes() {
    assertThat(text(frames("$}\3}\4}]}\n#62").getFirst())).isEqualTo("#$}*");
    // one that the end of the packet leaves open is none
    assertThat(frames("$}#7d")).containsExactly(new Frame.Damaged());
  }

  @Test
  void aPacketThatIsCutOffGivesWayToTheNext() {
    assertThat(frames("$m12$g#67").stream().map(FrameReaderTest::text)).containsExactly("g");
  }

  @Test
  void keepsNoMoreThanAPacket() {
    String most = "a".repeat(FrameReader.MOST_BYTES);
    assertThat(frames("$" + most + "#01")).containsExactly(new Frame.Damaged());
    assertThat(frames("$" + most + "a")).containsExactly(new Frame.TooLong());
  }

  @Test
  void readsWhatItWrites() {
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      byte[] payload = new byte[random.nextInt(200)];
      random.nextBytes(payload);
      List<Frame> frames = frames(FrameReader.frame(payload));
      assertThat(frames).hasSize(1);
      assertThat(((Frame.Packet) frames.getFirst()).payload()).isEqualTo(payload);
    }
  }
}
