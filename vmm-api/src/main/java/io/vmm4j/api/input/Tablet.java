package io.vmm4j.api.input;

/**
 * A pointing device of a machine that knows where it points. Safe for any thread. What finds no
 * room is lost, as with a {@link Keyboard}.
 */
public interface Tablet {
  /** The largest coordinate in each direction. */
  int MOST = 32767;

  /** Buttons. */
  enum Button {
    /** The left one. */
    LEFT,
    /** The right one. */
    RIGHT,
    /** The one in the middle. */
    MIDDLE
  }

  /**
   * Points to a place.
   *
   * @param x 0 at the left to {@link #MOST}
   * @param y 0 at the top to {@link #MOST}
   */
  void move(int x, int y);

  /** Presses or lets go of a button. */
  void button(Button button, boolean pressed);

  /** Turns the wheel, up if the number is positive. */
  void wheel(int steps);
}
