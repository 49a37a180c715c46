# A guest that drives the thermometer: it sets an alarm at 25 degrees, sleeps until the interrupt
# comes, and prints "alarm at 25" (the temperature it reads) on COM1. Then it sets the next alarm one
# degree higher, and so on; after five alarms it switches the machine off.
#
# Real mode, entered at 0x7C00 with CS = DS = 0x7C0 and IP = 0. Assemble:
#   as --32 alarm.s -o alarm.o && objcopy -O binary -j .text alarm.o alarm.bin
# The bytes, in hexadecimal, are in alarm.hex.

        .code16
        .set    THERMOMETER, 0x510      # +0 temperature, +1 alarm threshold, +2 status
        .set    COM1, 0x3F8
        .set    PM_CONTROL, 0x604       # ACPI PM1a control: sleep type 5 and sleep enable power off
        .set    VECTOR, 0x20 + 5        # IRQ 5

start:  cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     $0x7000, %sp
        movw    $alarm, VECTOR * 4      # the handler's address, as offset and segment
        mov     %cs, VECTOR * 4 + 2

        mov     $0x11, %al              # the interrupt controller: begin its initialization
        out     %al, $0x20
        mov     $0x20, %al              # its first vector
        out     %al, $0x21
        mov     $0x04, %al              # the second controller is at input 2
        out     %al, $0x21
        mov     $0x01, %al              # 8086 mode
        out     %al, $0x21
        mov     $0xDF, %al              # all lines masked but IRQ 5
        out     %al, $0x21

        mov     $25, %bl                # the threshold
        mov     $5, %bh                 # how many alarms are to come
        mov     $THERMOMETER + 1, %dx
        mov     %bl, %al
        out     %al, %dx

sleep:  sti
        hlt                             # until the alarm
        cli                             # none between the question and the next sleep
        test    %bh, %bh
        jnz     sleep

        mov     $PM_CONTROL, %dx
        mov     $0x2000, %ax              # S5: sleep enable, type 0
        out     %ax, %dx
        jmp     .

alarm:  mov     $text, %si
next:   mov     %cs:(%si), %al
        inc     %si
        test    %al, %al
        jz      number
        call    print
        jmp     next

number: mov     $THERMOMETER, %dx
        in      %dx, %al
        aam                             # AH = tens, AL = units
        add     $0x3030, %ax            # as digits
        push    %ax
        mov     %ah, %al
        call    print
        pop     %ax
        call    print
        mov     $'\n', %al
        call    print

        dec     %bh
        inc     %bl                     # the next alarm one degree higher
        mov     $THERMOMETER + 1, %dx
        mov     %bl, %al
        out     %al, %dx
        inc     %dx
        mov     $1, %al
        out     %al, %dx                # takes the alarm back: the line is released
        mov     $0x20, %al
        out     %al, $0x20              # end of interrupt
        iret

print:  mov     $COM1, %dx
        out     %al, %dx
        ret

text:   .asciz  "alarm at "
