package io.vmm4j.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** ARP, DHCP, ICMP and UDP with frames that are made by hand. */
class UserStackTest {
  private final StackBench bench = new StackBench(true);

  private static byte[] arp(int operation, int sender, int target) {
    byte[] frame = new byte[60]; // with padding, as cards send it
    Words.put48(frame, 0, Addresses.BROADCAST_MAC);
    Words.put48(frame, 6, StackBench.GUEST_MAC);
    Words.put16(frame, 12, 0x0806);
    Words.put32(frame, 14, 0x0001_0800);
    Words.put16(frame, 18, 0x0604);
    Words.put16(frame, 20, operation);
    Words.put48(frame, 22, StackBench.GUEST_MAC);
    Words.put32(frame, 28, sender);
    Words.put32(frame, 38, target);
    return frame;
  }

  @Test
  void arpAnswersForTheGatewayAndTheNameServerAlone() {
    for (int ours : new int[] {Addresses.GATEWAY, Addresses.NAME_SERVER}) {
      assertThat(bench.send(arp(1, Addresses.GUEST, ours))).isTrue();
      byte[] reply = bench.frames().getFirst();
      assertThat(Words.get48(reply, 0)).isEqualTo(StackBench.GUEST_MAC);
      assertThat(Words.get16(reply, 20)).isEqualTo(2);
      assertThat(Words.get48(reply, 22)).isEqualTo(Addresses.GATEWAY_MAC);
      assertThat(Words.get32(reply, 28)).isEqualTo(ours);
      assertThat(Words.get32(reply, 38)).isEqualTo(Addresses.GUEST);
    }
    bench.send(arp(1, Addresses.GUEST, Addresses.GUEST));
    bench.send(arp(1, Addresses.GUEST, StackBench.OUTSIDE));
    assertThat(bench.frames()).isEmpty();
  }

  @Test
  void neighboursAreBoundedAndOursIsNotTaken() {
    bench.send(arp(2, Addresses.GATEWAY, Addresses.GUEST));
    assertThat(bench.stack.memory().neighbours()).isEmpty();
    for (int i = 4; i < 250; i++) {
      bench.send(arp(2, Addresses.NETWORK + i, Addresses.GATEWAY));
    }
    assertThat(bench.stack.memory().neighbours()).hasSize(16);
  }

  private static byte[] dhcp(int type, int requested, int server, boolean broadcast) {
    ByteBuffer message = ByteBuffer.allocate(300);
    message.put(0, (byte) 1).put(1, (byte) 1).put(2, (byte) 6).putInt(4, 0x1234_5678);
    message.putShort(10, (short) (broadcast ? 0x8000 : 0));
    message.putShort(28, (short) (StackBench.GUEST_MAC >>> 32));
    message.putInt(30, (int) StackBench.GUEST_MAC);
    message.putInt(236, 0x6382_5363);
    message.position(240).put((byte) 53).put((byte) 1).put((byte) type);
    if (requested != 0) {
      message.put((byte) 50).put((byte) 4).putInt(requested);
    }
    if (server != 0) {
      message.put((byte) 54).put((byte) 4).putInt(server);
    }
    message.put((byte) 0xFF);
    return StackBench.udp(0, 68, Addresses.LIMITED_BROADCAST, 67, message.array());
  }

  private static int option(byte[] frame, int code) {
    int at = 34 + 8 + 240;
    while ((frame[at] & 0xFF) != 0xFF) {
      if (frame[at] == code) {
        return frame[at + 1] == 1 ? frame[at + 2] : Words.get32(frame, at + 2);
      }
      at += 2 + frame[at + 1];
    }
    return 0;
  }

  @Test
  void dhcpOffersAndGivesOneAddress() {
    bench.send(dhcp(1, 0, 0, false));
    byte[] offer = bench.frames().getFirst();
    assertThat(Words.get48(offer, 0)).isEqualTo(StackBench.GUEST_MAC);
    assertThat(option(offer, 53)).isEqualTo(2);
    assertThat(Words.get32(offer, 42 + 4)).as("transaction").isEqualTo(0x1234_5678);
    assertThat(Words.get32(offer, 42 + 16)).isEqualTo(Addresses.GUEST);
    assertThat(option(offer, 1)).isEqualTo(Addresses.MASK);
    assertThat(option(offer, 3)).isEqualTo(Addresses.GATEWAY);
    assertThat(option(offer, 6)).isEqualTo(Addresses.NAME_SERVER);
    assertThat(option(offer, 51)).isPositive();
    assertThat(Ipv4Packet.of(offer).orElseThrow().isIntact()).isTrue();

    bench.send(dhcp(3, Addresses.GUEST, Addresses.GATEWAY, true));
    byte[] given = bench.frames().getFirst();
    assertThat(Words.get48(given, 0)).isEqualTo(Addresses.BROADCAST_MAC);
    assertThat(option(given, 53)).isEqualTo(5);

    byte[] renewal = dhcp(3, 0, 0, false);
    Words.put32(renewal, 42 + 12, Addresses.GUEST);
    Words.put16(renewal, 40, 0); // without a checksum
    bench.send(renewal);
    byte[] renewed = bench.frames().getFirst();
    assertThat(option(renewed, 53)).as("a renewal").isEqualTo(5);
    assertThat(Words.get32(renewed, 30)).isEqualTo(Addresses.GUEST);

    bench.send(dhcp(3, Addresses.NETWORK + 99, 0, false));
    assertThat(option(bench.frames().getFirst(), 53)).as("another address").isEqualTo(6);
    bench.send(dhcp(3, Addresses.GUEST, Addresses.NETWORK + 99, false));
    assertThat(bench.frames()).as("another server").isEmpty();
  }

  @Test
  void theGatewayAnswersAnEcho() {
    byte[] echo = new byte[64];
    new Random(3).nextBytes(echo);
    echo[0] = 8;
    echo[1] = 0;
    Words.put16(echo, 2, 0);
    Words.put16(echo, 2, StackBench.checksum(echo, 0, 64, 0));
    bench.send(StackBench.ipv4(1, Addresses.GUEST, Addresses.GATEWAY, echo));
    byte[] reply = bench.frames().getFirst();
    assertThat(reply[34]).isZero();
    assertThat(StackBench.checksum(reply, 34, 64, 0)).isZero();
    assertThat(Arrays.copyOfRange(reply, 38, 98)).isEqualTo(Arrays.copyOfRange(echo, 4, 64));

    bench.send(StackBench.ipv4(1, Addresses.GUEST, StackBench.OUTSIDE, echo));
    echo[10] ^= 1;
    bench.send(StackBench.ipv4(1, Addresses.GUEST, Addresses.GATEWAY, echo));
    assertThat(bench.frames()).isEmpty();
  }

  @Test
  void datagramsGoOutAndAnswersComeBack() {
    byte[] question = "question".getBytes(StandardCharsets.US_ASCII);
    bench.send(StackBench.udp(Addresses.GUEST, 5000, Addresses.NAME_SERVER, 53, question));
    assertThat(bench.reached.getFirst().toString()).isEqualTo("/192.0.2.53:53");
    assertThat(bench.datagrams.getFirst()).isEqualTo(question);

    bench.receivers.getFirst().accept(new byte[] {1, 2, 3});
    byte[] answer = bench.frames().getFirst();
    Ipv4Packet packet = Ipv4Packet.of(answer).orElseThrow();
    assertThat(packet.source()).isEqualTo(Addresses.NAME_SERVER);
    assertThat(packet.isIntact()).isTrue();
    assertThat(Words.get16(answer, 34)).isEqualTo(53);
    assertThat(Words.get16(answer, 36)).isEqualTo(5000);
    assertThat(Arrays.copyOfRange(answer, 42, 45)).containsExactly(1, 2, 3);

    // one of the same pair needs no further socket
    bench.send(StackBench.udp(Addresses.GUEST, 5000, Addresses.NAME_SERVER, 53, question));
    assertThat(bench.receivers).hasSize(1);
    bench.pass(130_000);
    assertThat(bench.stack.hasFlows()).isFalse();
  }

  @Test
  void aLongAnswerComesInFragments() {
    bench.send(StackBench.udp(Addresses.GUEST, 5000, StackBench.OUTSIDE, 7, new byte[1]));
    byte[] answer = new byte[4000];
    new Random(4).nextBytes(answer);
    bench.receivers.getFirst().accept(answer);
    List<byte[]> fragments = bench.frames();
    assertThat(fragments).hasSize(3).allMatch(frame -> frame.length <= 1514);
    byte[] whole = new byte[4008];
    for (byte[] fragment : fragments) {
      int at = (Words.get16(fragment, 20) & 0x1FFF) * 8;
      System.arraycopy(fragment, 34, whole, at, fragment.length - 34);
      assertThat(StackBench.checksum(fragment, 14, 20, 0)).isZero();
    }
    assertThat(Arrays.copyOfRange(whole, 8, 4008)).isEqualTo(answer);
  }

  @Test
  void aDatagramThatMayNotGoOutIsUnreachable() {
    StackBench isolated = new StackBench(false);
    isolated.send(StackBench.udp(Addresses.GUEST, 5000, StackBench.OUTSIDE, 53, new byte[20]));
    byte[] answer = isolated.frames().getFirst();
    assertThat(answer[23]).isEqualTo((byte) 1);
    assertThat(answer[34]).isEqualTo((byte) 3);
    assertThat(isolated.reached).isEmpty();
  }

  @Test
  void flowsOfDatagramsAreBounded() {
    for (int i = 1; i < 1000; i++) {
      bench.send(StackBench.udp(Addresses.GUEST, i, StackBench.OUTSIDE, 7, new byte[1]));
    }
    assertThat(bench.open()).isEqualTo(256);
  }

  @Test
  void framesWhoseLengthsAreWrongAreRefused() {
    byte[] good = StackBench.udp(Addresses.GUEST, 5000, StackBench.OUTSIDE, 7, new byte[30]);
    for (int length = 0; length < good.length; length++) {
      assertThat(bench.send(Arrays.copyOf(good, length))).as("%d bytes", length).isFalse();
    }
    byte[] longer = good.clone();
    Words.put16(longer, 38, 39);
    assertThat(bench.send(longer)).isFalse();
    Words.put16(longer, 38, 7);
    assertThat(bench.send(longer)).isFalse();
    assertThat(bench.send(StackBench.ipv4(17, StackBench.OUTSIDE, Addresses.GATEWAY, new byte[8])))
        .as("from an address that no guest has")
        .isFalse();
    assertThat(bench.send(good)).isTrue();
  }

  @Test
  void randomFramesThrowNothing() {
    Random random = new Random(11);
    byte[][] seeds = {
      arp(1, Addresses.GUEST, Addresses.GATEWAY),
      dhcp(1, 0, 0, false),
      dhcp(3, Addresses.GUEST, Addresses.GATEWAY, false),
      StackBench.udp(Addresses.GUEST, 5000, StackBench.OUTSIDE, 7, new byte[30]),
      StackBench.tcp(1, StackBench.OUTSIDE, 2, 3, 4, 2, 5, new byte[40]),
      StackBench.ipv4(1, Addresses.GUEST, Addresses.GATEWAY, new byte[20]),
    };
    for (int i = 0; i < 100_000; i++) {
      byte[] frame = seeds[random.nextInt(seeds.length)].clone();
      for (int change = random.nextInt(4); change >= 0; change--) {
        frame[random.nextInt(frame.length)] = (byte) random.nextInt();
      }
      if (frame.length >= 34 && random.nextBoolean()) {
        Words.put16(frame, 24, 0); // most changes are to come past the header's checksum
        Words.put16(frame, 24, StackBench.checksum(frame, 14, 20, 0));
      }
      bench.send(
          random.nextInt(5) == 0 ? Arrays.copyOf(frame, random.nextInt(frame.length)) : frame);
      bench.frames();
    }
    assertThat(bench.stack.memory().neighbours()).hasSizeLessThanOrEqualTo(16);
  }

  @Test
  void whatIsRememberedIsReadBackAndAnythingElseIsRefused() {
    bench.send(arp(2, Addresses.GUEST, Addresses.GATEWAY));
    bench.peer(40_000, StackBench.OUTSIDE, 80).open();
    Memory memory = bench.stack.memory();
    byte[] bytes = memory.toBytes();
    assertThat(Memory.of(bytes)).isEqualTo(memory);
    assertThat(Memory.of(new byte[0])).isEqualTo(Memory.NONE);
    for (int length = 1; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> Memory.of(cut)).isInstanceOf(IllegalArgumentException.class);
    }
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
    assertThatThrownBy(() -> Memory.of(longer)).hasMessageContaining("behind");
    bytes[0] = 2;
    assertThatThrownBy(() -> Memory.of(bytes)).hasMessageContaining("version");
  }
}
