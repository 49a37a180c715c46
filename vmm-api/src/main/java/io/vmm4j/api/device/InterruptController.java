package io.vmm4j.api.device;

/** Takes the levels of interrupt lines. */
public interface InterruptController {

  /**
   * A line changed its level. Called with the machine lock held.
   *
   * @param line the board's number of the line
   */
  void lineChanged(int line, boolean asserted);
}
