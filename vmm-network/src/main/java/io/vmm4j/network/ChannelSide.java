package io.vmm4j.network;

import io.vmm4j.api.channel.ByteRing;
import io.vmm4j.api.channel.GuestChannelException;
import io.vmm4j.api.channel.ProgramChannel;
import java.io.IOException;

/** A channel of a Java program as an end of a connection. */
final class ChannelSide implements HostSide {
  private final ProgramChannel channel;
  private boolean over;

  ChannelSide(ProgramChannel channel) {
    this.channel = channel;
  }

  @Override
  public void opened() {
    channel.opened();
  }

  @Override
  public int read(ByteRing target) {
    return channel.take(target);
  }

  @Override
  public void write(ByteRing source) throws IOException {
    channel.give(source);
  }

  @Override
  public void shutdownOutput() {
    channel.endInput();
  }

  @Override
  public void await(boolean input, boolean room) {
    // The program's every call wakes the network.
  }

  @Override
  public void close() {
    over = true; // what the program has not read yet stays
  }

  @Override
  public void reset(String why) {
    if (!over) {
      over = true;
      channel.fail(GuestChannelException.Reason.ENDED_BY_GUEST, why);
    }
  }
}
