package io.vmm4j.engine.machine;

import static io.vmm4j.engine.machine.SerialShell.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.channel.GuestChannel;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.api.network.UserNetwork;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtionet.VirtioNetConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The network in user mode, with Linux's driver and Linux's TCP. */
@Timeout(1200)
class LinuxNetworkTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String PROMPT = "vmm4j:/root# ";
  private static final String CARD = "pci/00:05.0";
  private static final int FILE_BYTES = 1 << 20;

  private static VmSpec linux(VirtioNetConfig card) {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(128))
        .boot(
            LinuxBoot.kernel(images.kernel())
                .initrd(images.virtio())
                .commandLine("console=ttyS0 panic=-1"))
        .device("com1", Uart.com1())
        .device("pci", HostBridgeConfig.DEFAULT)
        .device(CARD, card)
        .build();
  }

  private static Vm started(VirtioNetConfig card) {
    Vm vm = Vm.start(linux(card));
    System.out.println("BACKEND: software");
    Console console = vm.console("com1");
    console.expect(PROMPT, PATIENCE);
    console.sendLine("stty -echo; PS1=; echo qui''et");
    console.expect("quiet", PATIENCE);
    return vm;
  }

  /** Has DHCP give an address, and puts down what it has said. */
  private static String configure(Vm vm) {
    answer(
        vm,
        "printf '#!/bin/sh\\n[ \"$1\" = bound ] || exit 0\\n"
            + "ip addr add $ip/$mask dev $interface\\n"
            + "ip route add default via $router\\n"
            + "echo nameserver $dns >/tmp/resolv\\n' >/tmp/lease; chmod +x /tmp/lease;"
            + " mkdir -p /tmp; ip link set eth0 up");
    return answer(vm, "udhcpc -i eth0 -s /tmp/lease -n -q 2>&1; ip addr show eth0; ip route");
  }

  private static byte[] bytes(long seed, int count) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static String digest(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static HttpServer serving(byte[] file) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/file",
        exchange -> {
          exchange.sendResponseHeaders(200, file.length);
          try (OutputStream out = exchange.getResponseBody()) {
            out.write(file);
          }
        });
    server.start();
    return server;
  }

  private static byte[] readAll(GuestChannel channel) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(4 * FILE_BYTES);
    while (channel.read(all) >= 0) {
      assertThat(all.hasRemaining()).isTrue();
    }
    byte[] bytes = new byte[all.flip().remaining()];
    all.get(bytes);
    return bytes;
  }

  @Test
  void theGuestReachesTheHostsNetworkAndIsReached() throws Exception {
    byte[] file = bytes(1, FILE_BYTES);
    HttpServer server = serving(file);
    VirtioNetConfig card =
        VirtioNetConfig.user().withOutbound(true).withForwards(new PortForward(0, 7000));
    try (Vm vm = started(card)) {
      // DHCP
      assertThat(configure(vm))
          .contains("inet 10.0.2.15/24")
          .contains("default via 10.0.2.2")
          .contains("mtu 1500")
          .contains("52:54:");
      assertThat(answer(vm, "cat /tmp/resolv")).isEqualTo("nameserver 10.0.2.3");
      // ICMP
      assertThat(answer(vm, "ping -c 3 10.0.2.2")).contains("3 packets received, 0% packet loss");

      // TCP out
      String url = "http://10.0.2.2:%d/file".formatted(server.getAddress().getPort());
      assertThat(answer(vm, "wget -q -O - " + url + " | sha256sum")).startsWith(digest(file));

      // TCP in, by a forward, both directions, each ended by itself
      UserNetwork network = vm.device(CARD, UserNetwork.class);
      PortForward forward = network.forwards().getFirst();
      answer(vm, "(nc -l -p 7000 -e sha256sum </dev/null &) 2>/dev/null; sleep 1");
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), forward.hostPort())) {
        socket.getOutputStream().write(file);
        socket.shutdownOutput();
        assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
            .startsWith(digest(file));
      }

      // and by a channel
      answer(vm, "(nc -l -p 7001 -e cat </dev/null &) 2>/dev/null; sleep 1");
      try (GuestChannel channel = network.connect(7001)) {
        Thread writer =
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    channel.write(ByteBuffer.wrap(file));
                    channel.shutdownOutput();
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                });
        assertThat(digest(readAll(channel))).isEqualTo(digest(file));
        writer.join();
      }
      assertThatThrownBy(() -> network.connect(7002)).hasMessageContaining("refuses");
      assertThat(network.counters().dropped()).isZero();
    } finally {
      server.stop(0);
    }
  }

  @Test
  void connectionsEndVisiblyAtARestoreAndNewOnesAreMade() throws Exception {
    VirtioNetConfig card = VirtioNetConfig.user();
    try (Vm vm = started(card)) {
      configure(vm);
      UserNetwork network = vm.device(CARD, UserNetwork.class);
      answer(vm, "(nc -l -p 7000 -e cat </dev/null &) 2>/dev/null; sleep 1");
      try (GuestChannel channel = network.connect(7000)) {
        channel.write(ByteBuffer.wrap("hello".getBytes(StandardCharsets.US_ASCII)));
        ByteBuffer echo = ByteBuffer.allocate(5);
        while (echo.hasRemaining()) {
          channel.read(echo);
        }
        assertThat(answer(vm, "netstat -tn | grep -c ESTABLISHED")).isEqualTo("1");
        try (Snapshot snapshot = vm.snapshot()) {
          // in a fork the guest's end is reset, and a new connection is made
          try (Vm fork = snapshot.fork()) {
            assertThat(
                    answer(
                        fork,
                        "i=0; while netstat -tn | grep -q ESTABLISHED && [ $i -lt 20 ];"
                            + " do sleep 1; i=$((i + 1)); done;"
                            + " netstat -tn | grep -c ESTABLISHED"))
                .isEqualTo("0");
            answer(fork, "(nc -l -p 7003 -e cat </dev/null &) 2>/dev/null; sleep 1");
            try (GuestChannel again = fork.device(CARD, UserNetwork.class).connect(7003)) {
              again.write(ByteBuffer.wrap(new byte[] {42}));
              ByteBuffer one = ByteBuffer.allocate(1);
              again.read(one);
              assertThat(one.get(0)).isEqualTo((byte) 42);
            }
          }
          // the machine itself goes on
          channel.write(ByteBuffer.wrap(new byte[] {7}));
          echo.clear().limit(1);
          channel.read(echo);
          assertThat(echo.get(0)).isEqualTo((byte) 7);

          // when it is restored, the host's end is reset
          vm.restore(snapshot);
          assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
              .hasMessageContaining("restored");
        }
      }
      // isolated: nothing is reached
      assertThat(answer(vm, "wget -q -O - http://10.0.2.2:1/ 2>&1; echo $?")).contains("refused");
    }
  }
}
