package io.vmm4j.devices.pic;

import io.vmm4j.devices.Checks;

/**
 * State of the pair.
 *
 * @param master the controller of IRQ 0 to 7
 * @param slave the controller of IRQ 8 to 15
 */
public record PicState(Chip master, Chip slave) {

  /**
   * State of one 8259A. Sets of interrupt inputs are bytes with a bit each.
   *
   * @param pins which inputs are high
   * @param edges requests latched by rising edges and not yet acknowledged
   * @param inService the in-service register (ISR)
   * @param mask the interrupt mask register (IMR)
   * @param levelTriggered the edge/level control register (ELCR)
   * @param allLevelTriggered LTIM of ICW1
   * @param vectorBase ICW2, a multiple of 8
   * @param lowestPriority the input of lowest priority, 0 to 7
   * @param rotateOnAutoEoi whether priorities rotate on each automatic EOI
   * @param autoEoi AEOI of ICW4
   * @param specialFullyNested SFNM of ICW4
   * @param specialMask special mask mode
   * @param readInService whether a read gives the ISR and not the IRR
   * @param poll whether the next read is a poll
   * @param initializationWord which ICW is expected next, 2 to 4, or 0 if none
   * @param singleMode SNGL of ICW1: no ICW3 comes
   * @param expectsWord4 IC4 of ICW1
   */
  public record Chip(
      int pins,
      int edges,
      int inService,
      int mask,
      int levelTriggered,
      boolean allLevelTriggered,
      int vectorBase,
      int lowestPriority,
      boolean rotateOnAutoEoi,
      boolean autoEoi,
      boolean specialFullyNested,
      boolean specialMask,
      boolean readInService,
      boolean poll,
      int initializationWord,
      boolean singleMode,
      boolean expectsWord4) {

    /** Checks ranges. */
    public Chip {
      Checks.unsignedByte("pins", pins);
      Checks.unsignedByte("edges", edges);
      Checks.unsignedByte("inService", inService);
      Checks.unsignedByte("mask", mask);
      Checks.unsignedByte("levelTriggered", levelTriggered);
      Checks.unsignedByte("vectorBase", vectorBase);
      Checks.range("vectorBase modulo 8", vectorBase & 7, 0, 0);
      Checks.range("lowestPriority", lowestPriority, 0, 7);
      Checks.range("initializationWord", initializationWord, 0, 4);
    }
  }
}
