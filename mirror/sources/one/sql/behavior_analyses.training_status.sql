from (
    values
    ('in_training'),
    ('ready4delay'),
    ('ready4ephysrig'),
    ('ready4recording'),
    ('trained_1a'),
    ('trained_1b'),
    ('unbiasable'),
    ('untrainable')
) as status(training_status)
