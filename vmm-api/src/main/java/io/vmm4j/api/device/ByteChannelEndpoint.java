package io.vmm4j.api.device;

/** The device's end of a byte stream between guest and host. */
public interface ByteChannelEndpoint {

  /** Hands bytes from the guest to the host. Never blocks: the host's transcript is bounded. */
  void transmit(int value);

  /** How many bytes from the host wait. */
  int available();

  /** The next byte from the host, 0 to 255, or -1 if none waits. */
  int receive();

  /** Calls {@code listener}, with the machine lock held, when bytes from the host begin to wait. */
  void onReceivable(Runnable listener);
}
