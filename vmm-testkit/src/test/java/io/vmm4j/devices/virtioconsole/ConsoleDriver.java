package io.vmm4j.devices.virtioconsole;

import io.vmm4j.devices.virtio.VirtioDriver;
import io.vmm4j.devices.virtio.VirtioDriver.Buffer;
import io.vmm4j.testkit.TestMachine;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The guest's driver of a console with one further port. */
public final class ConsoleDriver {
  static final int QUEUES = 6;
  private static final int QUEUE_SIZE = 8;
  private static final int BUFFER_BYTES = 0x400;
  private static final long SEVERAL_PORTS = 2;
  private static final long OUTGOING = 0x8_0000;

  private final TestMachine machine;
  private final VirtioDriver[] queues = new VirtioDriver[QUEUES];
  private final int[] given = new int[QUEUES];
  private final int[] taken = new int[QUEUES];

  /** Sets it up. */
  public ConsoleDriver(TestMachine machine, boolean packed) {
    this.machine = machine;
    machine.memory().write(VirtioDriver.QUEUES, new byte[QUEUES * 0x1000]);
    for (int i = 0; i < QUEUES; i++) {
      queues[i] = VirtioDriver.ofQueue(machine, packed, i);
    }
    VirtioDriver.setUp(SEVERAL_PORTS, queues);
  }

  /** The driver of a queue. */
  public VirtioDriver queue(int index) {
    return queues[index];
  }

  /** Says that driver and ports are ready, and takes the messages that follow. */
  public List<String> begin(int messages) {
    message(-1, 0, 1);
    List<String> added = awaitMessages(2);
    message(0, 3, 1);
    message(1, 3, 1);
    added.addAll(awaitMessages(messages));
    return added;
  }

  private long buffer(int queue, int number) {
    return VirtioDriver.BUFFERS + 0x4000L * queue + (long) BUFFER_BYTES * (number % QUEUE_SIZE);
  }

  void give(int queue) {
    queues[queue].submit(
        new Buffer(buffer(queue, given[queue]++), BUFFER_BYTES, VirtioDriver.WRITE));
  }

  /** What the device has put into the next buffer; nothing if it has not. */
  byte[] take(int queue) {
    machine.runTasks();
    long count = queues[queue].takeBack(1);
    return count < 0
        ? new byte[0]
        : machine.memory().read(buffer(queue, taken[queue]++), (int) count);
  }

  /** Takes so many messages, giving a buffer for each, as "port event value rest". */
  public List<String> awaitMessages(int count) {
    List<String> messages = new ArrayList<>();
    while (messages.size() < count) {
      if (given[2] == taken[2]) {
        give(2);
      }
      byte[] bytes = take(2);
      if (bytes.length > 0) {
        messages.add(text(bytes));
      } else if (Thread.interrupted()) {
        throw new AssertionError("no message in time after " + messages);
      }
    }
    return messages;
  }

  private static String text(byte[] bytes) {
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int event = b.getShort(4);
    String rest =
        event == 5
            ? b.getShort(8) + "x" + b.getShort(10)
            : new String(Arrays.copyOfRange(bytes, 8, bytes.length), StandardCharsets.US_ASCII);
    return "%d %d %d %s".formatted(b.getInt(0), event, b.getShort(6), rest).strip();
  }

  /** Sends a message. */
  public void message(int port, int event, int value) {
    ByteBuffer b = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    send(3, b.putInt(port).putShort((short) event).putShort((short) value).array());
  }

  /** Sends bytes; whether the device has taken them. */
  boolean send(int queue, byte[] bytes) {
    machine.memory().write(OUTGOING, bytes);
    queues[queue].submit(new Buffer(OUTGOING, bytes.length, 0));
    return queues[queue].takeBack(1) >= 0;
  }
}
