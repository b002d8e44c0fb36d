select unnest(
    [
        'in_training',
        'ready4delay',
        'ready4ephysrig',
        'ready4recording',
        'trained_1a',
        'trained_1b',
        'unbiasable',
        'untrainable'
    ]
) as training_status
